package jbd2

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/vexfs/vexctl/internal/ext4"
	"github.com/vexfs/vexctl/internal/format"
)

// Journal is an open jbd2 journal: a snapshot of the superblock, and whatever
// the blocks hold when they are read. It implements [format.Journal] and
// [format.Splitter].
type Journal struct {
	src      format.Source
	where    string
	fs       *ext4.FS // the filesystem the journal serves, nil when unknown
	device   *ext4.FS // the external journal device it lies on
	external bool
	super    superblock
	raw      []byte // of the superblock
	geo      geometry
	// own lists where the journal lies in its filesystem, in bytes, by start.
	own       []format.Extent
	truncated bool           // the source ends before the journal does
	found     []format.Fault // from finding and opening it
	refusal   string         // why the kernel refuses it before it looks at the log

	walkMu sync.Mutex
	live   *live

	grownOnce sync.Once
	grown     uint64

	learnOnce sync.Once
	explainer *ext4.Explainer

	revokes revokes
}

// Source implements [format.Journal].
func (j *Journal) Source() format.Source { return j.src }

// place is where a journal block lies in the file named by the user.
func (j *Journal) place(block uint32) int64 { return format.Place(j.src, j.geo.off(block)) }

// fault makes a fault that spans n blocks.
func (j *Journal) fault(code string, block uint32, n uint32, message string) *format.Fault {
	return j.faultAt(code, j.geo.off(block), int64(n)*int64(j.geo.blockSize), message)
}

func (j *Journal) faultAt(code string, off, length int64, message string) *format.Fault {
	return &format.Fault{Code: code, Message: message, Offset: format.Place(j.src, off), JournalOffset: off,
		Length: length, FlipOffset: -1}
}

// look walks the log once; a walk that failed or was cancelled does not count.
func (j *Journal) look(ctx context.Context) (*live, error) {
	j.walkMu.Lock()
	defer j.walkMu.Unlock()
	if j.live != nil {
		return j.live, nil
	}
	l, err := j.lookOnce(ctx)
	if err == nil {
		j.live = l
	}
	return l, err
}

func (j *Journal) lookOnce(ctx context.Context) (*live, error) {
	l, err := j.walk(ctx)
	if err != nil {
		return nil, err
	}
	if err := j.lookBeyond(ctx, l); err != nil {
		return nil, err
	}
	l.chains = contiguous(l.chains, j.geo.sequence)
	j.judge(l)
	l.fast = j.lookFast(l.end, j.geo.start == 0)
	l.faults = append(l.faults, l.fast.faults...)
	if f := j.discarded(l); f != nil {
		l.faults = append(l.faults, *f)
	}
	return l, nil
}

// contiguous keeps the chains that lead up to the tail's tid without a hole.
func contiguous(chains []chain, tid uint32) []chain {
	var out []chain
	for {
		i := slices.IndexFunc(chains, func(c chain) bool { return c.afterT == tid })
		if i < 0 || slices.Contains(out, chains[i]) {
			return out
		}
		out = append(out, chains[i])
		tid = chains[i].firstT
	}
}

// discarded: without needs_recovery in the filesystem's superblock the kernel
// drops the log.
func (j *Journal) discarded(l *live) *format.Fault {
	if l.commits == 0 || !j.unmarked() {
		return nil
	}
	f := j.fault(CodeDiscarded, j.geo.superBlock, 1,
		fmt.Sprintf("the log holds transactions %d to %d, but the filesystem does not say that it needs recovery: the kernel would throw them away", j.geo.sequence, l.end-1))
	f.SetSeq(uint64(j.geo.sequence))
	return f
}

// unmarked: the filesystem's superblock says that nothing needs recovery. A
// backup superblock says nothing about it.
func (j *Journal) unmarked() bool {
	return j.fs != nil && j.fs.Backup < 0 && !j.fs.Super.NeedsRecovery
}

// madeAt is when the filesystem was made, in seconds since 1970, or 0.
func (j *Journal) madeAt() uint64 {
	if j.fs == nil {
		return 0
	}
	var b [4]byte
	const mkfsTime = 1024 + 0x108
	if n, _ := j.fs.Source.ReadAt(b[:], mkfsTime); n < len(b) {
		return 0
	}
	return uint64(le.Uint32(b[:]))
}

// Describe implements [format.Journal].
func (j *Journal) Describe(ctx context.Context) (*format.Info, error) {
	l, err := j.look(ctx)
	if err != nil {
		return nil, err
	}
	in := &format.Info{Format: Format.Name, Variant: j.variant(), Place: j.where, Geometry: j.geometryFields(l),
		Faults: append(slices.Clone(j.found), l.faults...), Mark: j.mark(l), Outlook: j.outlook(l), Provisional: true}
	if l.commits > 0 {
		in.HasSeq, in.FirstSeq, in.LastSeq = true, uint64(j.geo.sequence), uint64(l.end-1)
	}
	if l.firstTime != 0 {
		in.HasTime, in.FirstTime, in.LastTime = true, l.firstTime, l.lastTime
	}
	in.Transactions.Committed = l.commits
	in.Transactions.Unreachable = l.beyond.valid
	if l.stopDist > l.endDist {
		if l.tornIsDamage {
			in.Transactions.Damaged = 1
		} else {
			in.Transactions.Uncommitted = 1
		}
	}
	in.State = j.state(l, in.Faults)
	return in, nil
}

func (j *Journal) state(l *live, faults []format.Fault) format.State {
	for _, f := range faults {
		if Format.Severity(f.Code) == format.Damage {
			return format.Damaged
		}
	}
	switch {
	case j.refusal != "" || l.refusal != "" || l.fast.refusal != "":
		return format.Damaged
	case j.geo.start == 0:
		return format.Clean
	}
	return format.Dirty
}

func (j *Journal) variant() []string {
	v := j.super.features()
	if j.external {
		v = append(v, "external")
	}
	return v
}

// outlook says what the kernel would make of the journal.
func (j *Journal) outlook(l *live) string {
	if j.fs != nil && j.fs.Backup >= 0 {
		return "the kernel would not mount the filesystem: its superblock is unusable"
	}
	for _, why := range []string{j.refusal, l.refusal, l.fast.refusal} {
		if why != "" {
			return "the kernel would refuse it: " + why
		}
	}
	switch {
	case j.geo.start == 0:
		return "nothing to replay"
	case j.unmarked():
		return "the kernel would throw the log away: the filesystem is not marked as needing recovery"
	case l.commits == 0 && l.fast.commits == 0:
		return "the log holds no whole transaction to replay"
	}
	var b strings.Builder
	switch {
	case l.commits == 1:
		fmt.Fprintf(&b, "the kernel would replay transaction %d", j.geo.sequence)
	default:
		fmt.Fprintf(&b, "the kernel would replay transactions %d to %d", j.geo.sequence, l.end-1)
	}
	if l.fast.commits > 0 {
		fmt.Fprintf(&b, " and %d fast commits", l.fast.commits)
	}
	return b.String()
}

func (j *Journal) geometryFields(l *live) format.Fields {
	var f format.Fields
	f.Uint("block_size", 0, 0, uint64(j.geo.blockSize))
	f.Uint("blocks", 0, 0, uint64(j.geo.blocks))
	f.Uint("log_first_block", 0, 0, uint64(j.geo.first))
	f.Uint("log_blocks", 0, 0, uint64(j.geo.ring()))
	if n := j.geo.fcEnd - j.geo.fcFirst; n > 0 {
		f.Uint("fast_commit_blocks", 0, 0, uint64(n))
		f.Uint("fast_commits", 0, 0, uint64(l.fast.commits))
	}
	f.Uint("live_blocks", 0, 0, uint64(l.endDist))
	if j.geo.start != 0 {
		f.Uint("tail_block", 0, 0, uint64(j.geo.start))
		f.Uint("end_block", 0, 0, uint64(j.geo.block(l.endDist%max(j.geo.ring(), 1))))
	}
	f.Uint("end_seq", 0, 0, uint64(l.end))
	f.Bool("wrapped", 0, 0, j.geo.start != 0 && j.geo.start+l.endDist > j.geo.last)
	if j.super.h.typ != typeSuperV1 {
		f.Str("uuid", 0, 0, uuidText(j.super.uuid[:]))
	}
	f.Int("errno", 0, 0, int64(j.super.errno))
	if j.fs != nil {
		f.Nested("filesystem", 0, 0, j.fs.Super.Fields())
	}
	return f
}

// mark changes with the superblock, the end of the log and the fast commits.
func (j *Journal) mark(l *live) string {
	h := fnv.New64a()
	h.Write(j.raw)
	fmt.Fprint(h, l.end, l.endDist, l.stopDist, l.fast.commits, l.fast.end, l.fast.tornEnd)
	return fmt.Sprintf("%016x", h.Sum64())
}

// inJournal says whether a filesystem block belongs to the journal.
func (j *Journal) inJournal(block uint64) bool {
	if len(j.own) == 0 {
		return false
	}
	off := int64(block) * int64(j.geo.blockSize)
	i := sort.Search(len(j.own), func(i int) bool { return j.own[i].From+j.own[i].Length > off })
	return i < len(j.own) && j.own[i].From <= off
}

// outOfRange says whether a block lies outside the filesystem, where its size
// is known. A filesystem that was grown has its new size in the log before it
// has it on disk.
func (j *Journal) outOfRange(l *live, block uint64) bool {
	return j.fs != nil && block >= j.fs.Super.Blocks && block >= j.fsBlocks(l)
}

// fsBlocks is the filesystem's size in blocks: the largest that its superblock
// or a copy of it in the live log says, as far as the device reaches.
func (j *Journal) fsBlocks(l *live) uint64 {
	j.grownOnce.Do(func() {
		j.grown = j.fs.Super.Blocks
		j.eachLogged(l, func(block uint64) bool { return block == j.superHome() }, func(_ tag, b []byte) {
			at := 0
			if len(b) > superSize {
				at = 1024
			}
			if b = b[at:]; le.Uint16(b[0x38:]) == extMagic {
				j.grown = max(j.grown, uint64(le.Uint32(b[0x04:]))|uint64(le.Uint32(b[0x150:]))<<32)
			}
		})
		j.grown = min(j.grown, max(uint64(j.fs.Source.Size())/uint64(j.geo.blockSize), j.fs.Super.Blocks))
	})
	return j.grown
}

// superHome is the block that holds the primary filesystem superblock.
func (j *Journal) superHome() uint64 {
	if j.geo.blockSize == 1024 {
		return 1
	}
	return 0
}

// headers visits the header blocks of the live log in order, without reading
// what lies between.
func (j *Journal) headers(l *live, visit func(h header, block uint32, b []byte) bool) {
	w := format.NewWindow(j.src, max(4*j.geo.blockSize, 1<<14))
	for d := uint32(0); d < l.endDist; {
		at := j.geo.block(d)
		b, err := w.At(j.geo.off(at), j.geo.blockSize)
		if err != nil {
			return
		}
		h, ok := parseHeader(b)
		if !ok {
			return
		}
		d++
		if h.typ == typeDescriptor {
			d += j.geo.countTags(b)
		}
		if !visit(h, at, b) {
			return
		}
	}
}
