package jbd2

import (
	"context"
	"errors"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// live is what the walk over the log finds out. Distances count ring blocks
// from the tail.
type live struct {
	// end is the first tid that the kernel would not replay.
	end uint32
	// [0, endDist) holds the transactions it would replay. [endDist, stopDist)
	// belongs to the transaction at which the log ends.
	endDist, stopDist uint32
	commits           int
	// firstTime and lastTime are commit times in ns, 0 when unknown.
	firstTime, lastTime int64
	lastSec             uint64
	// refusal says why the kernel refuses the journal; empty if it does not.
	refusal string
	// tornIsDamage: the transaction at the end is not a crash's leftover.
	tornIsDamage bool
	// staleEnd: the blocks after the end carry the expected tid, but were
	// written by an earlier journal.
	staleEnd bool
	// badCommit is the fault of the commit block at badCommitDist.
	badCommit     *format.Fault
	badCommitDist uint32
	unreadable    bool // the walk stopped because a block could not be read
	badSectors    bool // some block after the end could not be read
	// headers are positions of some header blocks, for starting in the middle;
	// wrapHeader is the last header at or before the ring's first block.
	headers    marks
	wrapHeader uint32
	// chains are runs of consecutive transactions outside the live log.
	chains []chain
	beyond beyond
	fast   fastCommits
	faults []format.Fault
}

// marks keeps up to a fixed number of positions, evenly spread.
type marks struct {
	at     []uint32
	stride uint32
}

const maxMarks = 1024

func (m *marks) add(dist uint32) {
	if m.stride == 0 {
		m.stride = 64
	}
	if n := len(m.at); n > 0 && dist-m.at[n-1] < m.stride {
		return
	}
	if len(m.at) == maxMarks {
		for i := range maxMarks / 2 {
			m.at[i] = m.at[2*i]
		}
		m.at = m.at[:maxMarks/2]
		m.stride *= 2
	}
	m.at = append(m.at, dist)
}

// before returns the last mark at or before dist.
func (m *marks) before(dist uint32) uint32 {
	last := uint32(0)
	for _, d := range m.at {
		if d > dist {
			break
		}
		last = d
	}
	return last
}

// walker goes along the log as the kernel's scan pass does.
type walker struct {
	j   *Journal
	g   *geometry
	w   *format.Window
	l   *live
	tid uint32
	// d is the distance of the block being looked at.
	d          uint32
	ringStart  uint32 // distance of the ring's first block
	suspicious bool   // a descriptor or revoke block of this transaction has a wrong sum
	compat     uint32 // register of the compat checksum
	compatFrom uint32 // where this transaction's blocks begin
	// asyncEnd: with ASYNC_COMMIT a commit's checksum was wrong, which is an
	// error only if another commit follows.
	asyncEnd bool
}

// walk finds the end of the live log.
func (j *Journal) walk(ctx context.Context) (*live, error) {
	g := &j.geo
	l := &live{end: g.sequence}
	size := max(g.blockSize, 1<<12) // it skips from header to header
	if g.csum == csumCompat {
		size = 1 << 20 // that checksum needs the data too
	}
	w := &walker{j: j, g: g, w: j.window(size), l: l, tid: g.sequence, compat: 0xFFFFFFFF}
	if g.start != 0 {
		w.ringStart = g.dist(g.first)
		for w.d < g.ring() && w.step() {
			if w.d&0xff == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		if l.stopDist == 0 {
			l.stopDist = min(w.d, g.ring())
		}
		if l.staleEnd {
			l.stopDist = l.endDist
		}
	}
	return l, ctx.Err()
}

// step looks at one header block, and says whether the log goes on.
func (w *walker) step() bool {
	b, err := w.w.At(w.g.off(w.g.block(w.d)), w.g.blockSize)
	if err != nil {
		w.l.unreadable = true
		if !errors.Is(err, format.ErrTruncated) || w.j.truncated {
			w.l.refusal = fmt.Sprintf("block %d of the journal can't be read", w.g.block(w.d))
		}
		return false
	}
	h, ok := parseHeader(b)
	if !ok || h.tid != w.tid || !isLogType(h.typ) {
		return false
	}
	w.l.headers.add(w.d)
	if w.d <= w.ringStart {
		w.l.wrapHeader = w.d
	}
	switch h.typ {
	case typeDescriptor:
		return w.descriptor(b)
	case typeRevoke:
		return w.revoke(b)
	}
	return w.commit(b)
}

func (w *walker) descriptor(b []byte) bool {
	if w.g.sealed() {
		if stored, computed := w.g.tailSum(b); stored != computed {
			w.suspicious = true
		}
	}
	n := w.g.countTags(b)
	if w.g.csum == csumCompat && !w.sumCompat(n) {
		return false
	}
	if uint64(w.d)+1+uint64(n) > uint64(w.g.ring()) {
		w.l.stopDist = w.g.ring()
		return false
	}
	w.d += 1 + n
	return true
}

// sumCompat adds the descriptor at d and the n blocks after it to the
// transaction's checksum.
func (w *walker) sumCompat(n uint32) bool {
	for i := range min(n+1, w.g.ring()) {
		b, err := w.w.At(w.g.off(w.g.block(w.d+i)), w.g.blockSize)
		if err != nil {
			w.l.refusal = fmt.Sprintf("block %d of the journal can't be read", w.g.block(w.d+i))
			return false
		}
		w.compat = crc32be(w.compat, b)
	}
	return true
}

func (w *walker) revoke(b []byte) bool {
	if w.g.sealed() {
		if stored, computed := w.g.tailSum(b); stored != computed {
			w.suspicious = true
		}
	}
	if !w.suspicious {
		if ok := w.g.eachRevoke(b, func(uint64) {}); !ok && w.l.refusal == "" {
			w.l.refusal = fmt.Sprintf("a revoke block of transaction %d claims too many bytes", w.tid)
		}
	}
	w.d++
	return true
}

func (w *walker) commit(b []byte) bool {
	sec := be.Uint64(b[48:])
	if w.suspicious {
		return w.suspiciousCommit(sec)
	}
	if w.asyncEnd {
		if w.g.csum == csumCompat && w.l.refusal == "" {
			w.l.refusal = fmt.Sprintf("transaction %d is corrupt", w.l.end)
			w.l.tornIsDamage = true
		}
		return false
	}
	fault := w.commitFault(b)
	if fault == nil {
		w.committed(b, sec)
		return true
	}
	return w.failedCommit(fault, sec)
}

// committed takes note of a good commit block.
func (w *walker) committed(b []byte, sec uint64) {
	w.l.lastSec = sec
	if ns, ok := commitTime(b); ok {
		if w.l.commits == 0 {
			w.l.firstTime = ns
		}
		w.l.lastTime = ns
	}
	w.d++
	w.tid++
	w.l.commits++
	w.l.end, w.l.endDist = w.tid, w.d
	w.compat, w.compatFrom = 0xFFFFFFFF, w.d
}

// suspiciousCommit ends the log at a commit whose transaction has a block with
// a wrong checksum: leftovers of an earlier journal if the time says so, else
// damage for which the kernel replays nothing.
func (w *walker) suspiciousCommit(sec uint64) bool {
	if sec < w.l.lastSec {
		w.l.staleEnd = true
		return false
	}
	w.l.refusal = fmt.Sprintf("transaction %d has a descriptor or revoke block with a wrong checksum", w.tid)
	w.l.tornIsDamage = true
	w.d++
	return false
}

// failedCommit ends the log at a commit whose own checksum is wrong.
func (w *walker) failedCommit(fault *format.Fault, sec uint64) bool {
	stale := sec < w.l.lastSec
	if stale && fault.FlipOffset < 0 {
		w.l.staleEnd = true
		return false
	}
	w.l.badCommit, w.l.badCommitDist = fault, w.d
	w.d++
	if stale {
		// The kernel takes it for an earlier journal's and ends the log here
		// in peace, but one flipped bit is damage.
		w.l.tornIsDamage = true
		return false
	}
	if !w.g.async {
		w.l.refusal = fmt.Sprintf("transaction %d is corrupt", w.tid)
		w.l.tornIsDamage = true
		return false
	}
	w.l.stopDist = w.d
	w.asyncEnd = true
	w.tid++
	return true
}

// commitFault checks a commit block against its transaction. It returns nil
// for a good one, also where only the kernel's rule for torn commits saves it.
func (w *walker) commitFault(b []byte) *format.Fault {
	switch w.g.csum {
	case csumCompat:
		return w.compatFault(b)
	case csumV2, csumV3:
		if ok, _ := w.g.commitHolds(b); !ok {
			stored, computed := w.g.commitSum(b)
			f := w.j.fault(CodeCommitSum, w.g.block(w.d), 1, "the commit block's checksum is wrong")
			noteSums(f, b, commitSumAt, stored, computed)
			return f
		}
	}
	return nil
}

func (w *walker) compatFault(b []byte) *format.Fault {
	stored := be.Uint32(b[commitSumAt:])
	if b[12] == 1 && b[13] == 4 && stored == w.compat || b[12] == 0 && b[13] == 0 && stored == 0 {
		return nil
	}
	f := w.j.fault(CodeTransactionSum, w.g.block(w.d), 1, "the checksum over the transaction's blocks is wrong")
	f.Sums(uint64(stored), uint64(w.compat), 4)
	w.flippedCompat(f, stored^w.compat)
	return f
}

// flippedCompat looks for one flipped bit in all of the transaction's blocks.
func (w *walker) flippedCompat(f *format.Fault, diff uint32) {
	bs := uint32(w.g.blockSize)
	back, bit := flippedBitBE(int64(w.d-w.compatFrom)*int64(bs), diff)
	if back < 0 {
		return
	}
	// back counts from the end of the summed bytes; revoke blocks are not
	// summed, so they do not count either.
	for d := w.d; d > w.compatFrom; d-- {
		b, err := w.w.At(w.g.off(w.g.block(d-1)), w.g.blockSize)
		if err != nil {
			return
		}
		if h, ok := parseHeader(b); ok && h.typ == typeRevoke && h.tid == w.tid {
			continue
		}
		if back < int64(bs) {
			f.SetFlip(w.j.place(w.g.block(d-1))+int64(bs)-1-back, bit, "")
			return
		}
		back -= int64(bs)
	}
}

// flippedBitBE returns how many bytes before the last one of an n-byte message
// the bit lies whose flip changes its compat checksum by diff, or -1.
func flippedBitBE(n int64, diff uint32) (back int64, bit int) {
	var trace [8]uint32
	for b := range trace {
		trace[b] = beTable[0][1<<b]
	}
	// Far beyond the longest real transaction a match would be chance.
	for back = range min(n, 1<<24) {
		for b := range trace {
			if trace[b] == diff {
				return back, b
			}
			trace[b] = beTable[0][trace[b]>>24] ^ trace[b]<<8
		}
	}
	return -1, 0
}

// commitTime is a commit block's time in ns since 1970. debugfs writes the
// seconds into the upper half of their field.
func commitTime(b []byte) (ns int64, ok bool) {
	sec := be.Uint64(b[48:])
	if sec>>32 != 0 && sec&0xFFFFFFFF == 0 {
		sec >>= 32
	}
	if sec == 0 {
		return 0, false
	}
	return format.UnixNano(sec, be.Uint32(b[56:]))
}
