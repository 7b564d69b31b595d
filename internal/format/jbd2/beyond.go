package jbd2

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/vexfs/vexctl/internal/format"
)

// chain is a run of consecutive transactions outside the live log.
type chain struct {
	from, to       uint32 // distances
	firstT, afterT uint32 // tids [firstT, afterT)
}

// beyond is what the search after the end of the log found.
type beyond struct {
	valid       int    // whole transactions that are newer than the end
	first, last uint32 // their tids
	firstBlock  uint32
	orphan      bool // a commit block of the transaction at the end, without its descriptor
	orphanBlock uint32
	// overrun: the run of a descriptor of the unfinished transaction, in
	// overrunBlock, went on over another header.
	overrun      bool
	overrunBlock uint32
}

// candidate is a transaction that the search is following.
type candidate struct {
	tid    uint32
	at     uint32 // distance
	whole  bool   // from its first block on, nothing is missing or wrong
	seed   uint32
	active bool
}

// search reads all of the ring that the walk did not, for what the walk could
// not reach.
type search struct {
	j    *Journal
	g    *geometry
	l    *live
	run  run
	cand candidate
	cur  chain
	open bool
}

// run is the state of a lenient reader: the tags of the last descriptor whose
// blocks are still to come.
type run struct {
	tags []tag
	next int
	tid  uint32
	desc uint32 // journal block of the descriptor
}

func (r *run) pending() bool { return r.next < len(r.tags) }

// lookBeyond searches [endDist, ring). That takes in the unfinished
// transaction at the end, because a descriptor that claims too many blocks
// makes later transactions look like its own data.
func (j *Journal) lookBeyond(ctx context.Context, l *live) error {
	s := &search{j: j, g: &j.geo, l: l}
	return j.lenient(ctx, l.endDist, j.geo.ring(), 1<<20, func(d uint32, b []byte, err error) {
		if err != nil && !errors.Is(err, format.ErrTruncated) {
			l.badSectors = true
		}
		s.block(d, b)
	})
}

// lenient calls visit with each block of [from, to), nil for one that can't be
// read. Holes of a sparse file are passed over.
func (j *Journal) lenient(ctx context.Context, from, to uint32, window int, visit func(d uint32, b []byte, err error)) error {
	g := &j.geo
	w := j.window(window)
	for d := from; d < to; {
		if d&0xff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		off := g.off(g.block(d))
		b, err := w.At(off, g.blockSize)
		if err != nil {
			b = nil
		}
		visit(d, b, err)
		d++
		if b != nil && b[0] == 0 && format.IsZero(b) {
			d += j.holeBlocks(off+int64(g.blockSize), d, to)
		}
	}
	return nil
}

// holeBlocks is the number of whole blocks at off, of those at distances
// [d, to), that lie in a hole.
func (j *Journal) holeBlocks(off int64, d, to uint32) uint32 {
	if d >= to || j.geo.block(d) == j.geo.first {
		return 0
	}
	hole := (format.NextData(j.src, off) - off) / int64(j.geo.blockSize)
	room := min(to-d, j.geo.last-j.geo.block(d))
	return uint32(min(max(hole, 0), int64(room)))
}

func (s *search) block(d uint32, b []byte) {
	h, ok := parseHeader(b)
	if s.g.block(d) == s.g.first {
		s.run = run{} // the scan starts afresh here too
	}
	if !ok || !isLogType(h.typ) {
		s.data(b)
		return
	}
	if s.run.pending() {
		if y := &s.l.beyond; d < s.l.stopDist && s.run.tid == s.l.end && !y.overrun {
			y.overrun, y.overrunBlock = true, s.run.desc
		}
		s.cand.whole = false
		s.run = run{}
	}
	s.follow(d, h)
	switch h.typ {
	case typeDescriptor:
		s.run.tags, _ = s.g.tags(s.run.tags[:0], b)
		s.run.next, s.run.tid, s.run.desc = 0, h.tid, s.g.block(d)
		s.seal(b)
	case typeRevoke:
		s.seal(b)
	case typeCommit:
		s.commit(d, h, b)
	}
}

// data takes a block that is none of the log's own.
func (s *search) data(b []byte) {
	if !s.run.pending() {
		s.cand.active = false
		return
	}
	t := s.run.tags[s.run.next]
	s.run.next++
	if s.cand.active && s.cand.whole && s.g.sealed() {
		if found, computed := s.g.dataSum(s.cand.seed, t, b); found != computed {
			s.cand.whole = false
		}
	}
}

// follow keeps track of the transaction and the chain that a header belongs to.
func (s *search) follow(d uint32, h header) {
	if !s.cand.active || s.cand.tid != h.tid {
		fresh := h.typ != typeCommit
		s.cand = candidate{tid: h.tid, at: d, whole: fresh && s.newer(h.tid) && !s.beheaded(d, h.tid), active: fresh}
		if s.cand.whole && s.g.sealed() {
			s.cand.seed = s.g.tidSeed(h.tid)
		}
	}
	if !s.open || h.tid != s.cur.afterT && h.tid+1 != s.cur.afterT {
		s.cur, s.open = chain{from: d, firstT: h.tid}, true
	}
	s.cur.afterT, s.cur.to = h.tid+1, d+1
	s.l.chains = keepChain(s.l.chains, s.cur)
}

// beheaded: the transaction at the end begins where the log ends, so what turns
// up of it further on has lost its first block.
func (s *search) beheaded(d, tid uint32) bool {
	return s.g.start != 0 && tid == s.l.end && d != s.l.endDist
}

const maxChains = 64

// keepChain replaces the list's last chain by a longer version of itself, or
// appends.
func keepChain(list []chain, c chain) []chain {
	if n := len(list); n > 0 && list[n-1].from == c.from {
		list[n-1] = c
		return list
	}
	if len(list) == maxChains {
		list = append(list[:0], list[1:]...)
	}
	return append(list, c)
}

// newer says whether a tid belongs at or after the end of the live log, rather
// than to an earlier lap or an earlier journal.
func (s *search) newer(tid uint32) bool { return s.j.newer(s.l, tid) }

func (j *Journal) newer(l *live, tid uint32) bool {
	return notBefore(tid, l.end) && tid-l.end <= max(j.geo.ring(), 1<<16) && !(l.staleEnd && tid == l.end)
}

func (s *search) seal(b []byte) {
	if s.cand.whole && s.g.sealed() {
		if stored, computed := s.g.tailSum(b); stored != computed {
			s.cand.whole = false
		}
	}
}

func (s *search) commit(d uint32, h header, b []byte) {
	whole := s.cand.active && s.cand.whole
	at := s.cand.at
	s.cand.active = false
	if !s.newer(h.tid) || !s.commitCounts(b) || s.l.badCommit != nil && h.tid == s.l.end {
		return
	}
	y := &s.l.beyond
	switch {
	case whole:
		if y.valid == 0 {
			y.first, y.firstBlock = h.tid, s.g.block(at)
		}
		y.valid++
		y.last = h.tid
	case h.tid == s.l.end && !y.orphan:
		y.orphan, y.orphanBlock = true, s.g.block(d)
	}
}

// commitCounts says whether a commit block can be trusted. It must not be older
// than the live log: e2fsck, when it gives up on a log, lets the next mount use
// its tids again. Without checksums it must not be older than the filesystem
// either.
func (s *search) commitCounts(b []byte) bool {
	sec := be.Uint64(b[48:])
	if sec < s.l.lastSec {
		return false
	}
	if s.g.sealed() {
		ok, _ := s.g.commitHolds(b)
		return ok
	}
	return sec >= s.j.madeAt() && format.IsZero(b[commitUsed:])
}

// judge turns what the walk and the search found into faults of the journal as
// a whole.
func (j *Journal) judge(l *live) {
	if y := l.beyond; y.valid > 0 {
		f := j.fault(CodeBeyond, y.firstBlock, 1, j.beyondMessage(l))
		f.SetSeq(uint64(y.first))
		l.faults = append(l.faults, *f)
	}
	if l.staleEnd {
		f := j.fault(CodeStaleCommit, j.geo.block(l.endDist), 1, fmt.Sprintf("the log ends where an earlier journal left a transaction %d", l.end))
		l.faults = append(l.faults, *f)
	}
	j.judgeEnd(l)
	if j.geo.csum == csumNone && l.commits > 0 {
		f := j.fault(CodeNoChecksums, j.geo.superBlock, 1, "the journal has no checksums: damage in its blocks can't be seen, unless it breaks their structure")
		l.faults = append(l.faults, *f)
	}
}

func (j *Journal) beyondMessage(l *live) string {
	y := l.beyond
	what := fmt.Sprintf("%d valid transactions, %d to %d, lie", y.valid, y.first, y.last)
	if y.valid == 1 {
		what = fmt.Sprintf("a valid transaction, %d, lies", y.first)
	}
	if j.geo.start == 0 && j.refusal != "" {
		return what + " in a log that nothing leads to"
	}
	return fmt.Sprintf("%s beyond the end of the log, which is at transaction %d", what, l.end)
}

// judgeEnd explains the end of the log: torn by a crash, or damaged.
func (j *Journal) judgeEnd(l *live) {
	if j.geo.start == 0 || l.staleEnd || l.tornIsDamage || l.unreadable {
		return
	}
	if f := j.damagedHeader(l); f != nil {
		l.faults = append(l.faults, *f)
		l.tornIsDamage = true
		return
	}
	blocks := l.stopDist - l.endDist
	switch {
	case l.beyond.valid > 0 && l.beyond.overrun:
		f := j.fault(CodeOverrun, l.beyond.overrunBlock, 1, fmt.Sprintf("a descriptor of transaction %d claims blocks that belong to later transactions", l.end))
		f.SetSeq(uint64(l.end))
		l.faults = append(l.faults, *f)
	case blocks > 0:
		f := j.fault(CodeTornTail, j.geo.block(l.endDist), blocks, fmt.Sprintf("transaction %d was not finished: %d of its blocks are there, its commit is not", l.end, blocks))
		if l.badCommit != nil {
			f.Message = fmt.Sprintf("transaction %d was not finished: its commit block is there, some of its other blocks are not", l.end)
		}
		f.SetSeq(uint64(l.end))
		l.faults = append(l.faults, *f)
	case l.beyond.orphan:
		f := j.fault(CodeTornTail, l.beyond.orphanBlock, 1, fmt.Sprintf("transaction %d was not finished: its commit block is there, its first block is not", l.end))
		f.SetSeq(uint64(l.end))
		l.faults = append(l.faults, *f)
	}
}

// damagedHeader looks at the block where the log stopped: if a bit or two of
// its header, put right, make it the log's next block, it was damaged and not
// torn.
func (j *Journal) damagedHeader(l *live) *format.Fault {
	if l.stopDist >= j.geo.ring() || l.badCommit != nil {
		return nil
	}
	at := j.geo.block(l.stopDist)
	b := make([]byte, j.geo.blockSize)
	if n, _ := j.src.ReadAt(b, j.geo.off(at)); n < len(b) {
		return nil
	}
	mended, wrong := j.mend(b, l.end)
	if mended == nil {
		return nil
	}
	f := j.fault(CodeHeader, at, 1, fmt.Sprintf("the header of a block of transaction %d is damaged, and the log seems to end here", l.end))
	f.SetSeq(uint64(l.end))
	for i := range headerSize {
		if x := b[i] ^ mended[i]; wrong == 1 && x != 0 {
			f.SetFlip(f.Offset+int64(i), bits.TrailingZeros8(x), "")
		}
	}
	return f
}

// mend returns b with the header that would make it the next block of
// transaction tid, if that changes one or two bits, or the magic alone, and,
// where there are checksums, b then has the right one.
func (j *Journal) mend(b []byte, tid uint32) (mended []byte, wrong int) {
	for _, typ := range []uint32{typeDescriptor, typeCommit, typeRevoke} {
		have := header{be.Uint32(b[4:]), be.Uint32(b[8:])}
		wrong = bits.OnesCount32(be.Uint32(b)^magic) + bits.OnesCount32(have.typ^typ) + bits.OnesCount32(have.tid^tid)
		magicOnly := have.typ == typ && have.tid == tid
		if wrong == 0 || wrong > 2 && !(magicOnly && j.geo.sealed()) {
			continue
		}
		if !j.geo.sealed() && (have.typ != typ || have.tid != tid) {
			continue // without a checksum it may as well be an earlier lap's
		}
		mended = slices.Clone(b)
		be.PutUint32(mended, magic)
		be.PutUint32(mended[4:], typ)
		be.PutUint32(mended[8:], tid)
		if !j.geo.sealed() || j.sealHolds(mended) {
			return mended, wrong
		}
	}
	return nil, 0
}

// sealHolds checks the checksum of a log block of any type.
func (j *Journal) sealHolds(b []byte) bool {
	if be.Uint32(b[4:]) == typeCommit {
		ok, _ := j.geo.commitHolds(b)
		return ok
	}
	stored, computed := j.geo.tailSum(b)
	return stored == computed
}
