package vexf

import (
	"cmp"
	"slices"
)

const (
	// maxLost is how many lost blocks are told one by one; what a damaged
	// superblock claims beyond is told as runs.
	maxLost = 1 << 14
	// maxSwap is how many places from home concurrent writers can put a block.
	maxSwap = 8
)

// item is one sequence of the live window, and the block that carries it or
// should.
type item struct {
	seq uint64
	// n is 1, or the number of lost sequences that are told as one.
	n   uint64
	pos int64 // slot
	// span holds the slot; -1 beyond the end of the source.
	span int32
	txn  int32 // index, or -1
	loss loss
	// swapped: the block sits in a neighbour's place.
	swapped bool
	// tail: the block after the window, cut short while it was written.
	tail bool
}

// loss says how a live block was lost.
type loss uint8

const (
	present loss = iota // it was not
	lostChecksum
	lostZeroed
	lostForeign
	lostTruncated
	lostUnreadable
	lostStale
	lostMisplaced
)

var lossCodes = [...]string{lostChecksum: CodeBlockChecksum, lostZeroed: CodeBlockZeroed, lostForeign: CodeBlockNotJournal,
	lostTruncated: CodeBlockTruncated, lostUnreadable: CodeUnreadable, lostStale: CodeBlockStale, lostMisplaced: CodeBlockMisplaced}

// code is the fault that a loss is told as.
func (l loss) code() string { return lossCodes[l] }

// present reports whether the block is there and sound.
func (it *item) present() bool { return it.loss == present }

// collect makes the items of the window out of the blocks at home and, where one
// is missing, of their neighbours.
func (a *analysis) collect(live []int) {
	away := a.away()
	next := a.First
	for _, i := range live {
		s := &a.spans[i]
		if s.seq < a.First || s.seq > a.Last {
			continue
		}
		a.lose(next, s.seq, away)
		a.items = append(a.items, item{seq: s.seq, n: 1, pos: s.pos, span: int32(i), txn: -1})
		next = s.seq + 1
	}
	a.lose(next, a.Last+1, away)
}

// away finds the sound blocks of the window that are not at home: the span of
// each sequence, or -1 when several blocks carry it.
func (a *analysis) away() map[uint64]int {
	out := map[uint64]int{}
	for i := range a.spans {
		s := &a.spans[i]
		if s.state != good || s.seq < a.First || s.seq > a.Last || a.home(s.seq) == s.pos {
			continue
		}
		if _, twice := out[s.seq]; twice {
			i = -1
		}
		out[s.seq] = i
	}
	return out
}

// lose appends items for the sequences from up to but not including to, whose
// blocks are not at home.
func (a *analysis) lose(from, to uint64, away map[uint64]int) {
	for seq := from; seq < to; seq++ {
		it := a.missing(seq, away)
		if a.lost++; a.lost > maxLost && !it.swapped {
			it.n = to - seq
		}
		a.items = append(a.items, it)
		seq += it.n - 1
	}
}

// missing says what became of a sequence whose block is not at home.
func (a *analysis) missing(seq uint64, away map[uint64]int) item {
	it := item{seq: seq, n: 1, pos: a.home(seq), txn: -1}
	if i, ok := away[seq]; ok && i >= 0 && a.near(a.spans[i].pos, it.pos) {
		it.pos, it.span, it.swapped = a.spans[i].pos, int32(i), true
		return it
	}
	it.span = a.spanAt(it.pos)
	it.loss = a.lossOf(seq, it.span)
	return it
}

// near reports whether two slots are no further apart, around the ring, than
// concurrent writers can put neighbours.
func (a *analysis) near(p, q int64) bool {
	d := uint64(max(p-q, q-p))
	return min(d, a.area.ring-d) <= maxSwap
}

// lossOf says what is in the place of a sequence.
func (a *analysis) lossOf(seq uint64, i int32) loss {
	if i < 0 {
		return lostTruncated
	}
	s := &a.spans[i]
	switch s.state {
	case badSum:
		return lostChecksum
	case zeroed:
		return lostZeroed
	case notJournal:
		return lostForeign
	case partial:
		return lostTruncated
	case unreadable:
		return lostUnreadable
	}
	if s.seq < seq && (seq-s.seq)%a.area.ring == 0 {
		return lostStale
	}
	return lostMisplaced
}

// takeAll is the window of a salvage: every sound block in order of sequence.
func (a *analysis) takeAll() {
	for i := range a.spans {
		if s := &a.spans[i]; s.state == good {
			a.items = append(a.items, item{seq: s.seq, n: 1, pos: s.pos, span: int32(i), txn: -1})
		}
	}
	slices.SortStableFunc(a.items, func(x, y item) int { return cmp.Compare(x.seq, y.seq) })
}
