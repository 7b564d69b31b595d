package vexf

import (
	"cmp"
	"math"
	"slices"

	"github.com/vexfs/vexctl/internal/format"
)

// piece is one record to be: a byte range of the source and what it holds.
type piece struct {
	off, n int64
	span   int32 // of a ring piece
	// lo and hi bound the items that sit here, in layout.byPos: none outside
	// the live window, and two where a block that changed places stands in for
	// a lost one.
	lo, hi int32
	kind   pieceKind
}

type pieceKind uint8

const (
	outside   pieceKind = iota // before the superblock, or behind the ring
	superPart                  // the superblock
	ringPart
)

// layout tiles the source.
type layout struct {
	pieces []piece
	byPos  []int32 // items with a place in the source, by slot
}

// tile cuts the source into pieces, in physical order.
func (a *analysis) tile() *layout {
	l := &layout{byPos: a.placed()}
	size := a.j.src.Size()
	if a.area.size == 0 || a.area.slots == 0 {
		l.bare(a.j, size)
		return l
	}
	start := a.area.base
	if !a.j.salvaged {
		l.add(piece{n: a.j.at})
		l.add(piece{off: a.j.at, n: start - a.j.at, kind: superPart})
	} else {
		l.add(piece{n: start})
	}
	next := int32(0)
	for i := range a.spans {
		next = l.span(a, int32(i), next)
	}
	end := a.area.end(size)
	l.add(piece{off: end, n: size - end})
	return l
}

// bare tiles a source that has no ring that could be read.
func (l *layout) bare(j *Journal, size int64) {
	if j.at < 0 {
		l.add(piece{n: size})
		return
	}
	end := j.at + j.superblockLength()
	l.add(piece{n: j.at})
	l.add(piece{off: j.at, n: end - j.at, kind: superPart})
	l.add(piece{off: end, n: size - end})
}

func (l *layout) add(p piece) {
	if p.n > 0 {
		l.pieces = append(l.pieces, p)
	}
}

// placed lists the items that have a record of their own, by slot; a block
// that is there comes before the lost one whose slot it took.
func (a *analysis) placed() []int32 {
	var out []int32
	for i := range a.items {
		if it := &a.items[i]; it.span >= 0 && it.n == 1 {
			out = append(out, int32(i))
		}
	}
	slices.SortFunc(out, func(x, y int32) int {
		p, q := &a.items[x], &a.items[y]
		return cmp.Or(cmp.Compare(p.pos, q.pos), cmp.Compare(p.loss, q.loss), cmp.Compare(x, y))
	})
	return out
}

// span adds the pieces of a span: a run is cut where live blocks were lost.
// next is the first item in byPos that is not placed yet; the new one is
// returned.
func (l *layout) span(a *analysis, i, next int32) int32 {
	s := &a.spans[i]
	for pos, end := s.pos, s.pos+s.n; pos < end; {
		p := piece{off: a.area.off(pos), kind: ringPart, span: i, lo: next, hi: next}
		n := end - pos
		for int(p.hi) < len(l.byPos) && a.items[l.byPos[p.hi]].pos == pos {
			p.hi++
		}
		switch {
		case p.hi > p.lo:
			n = 1
		case int(next) < len(l.byPos):
			n = min(n, a.items[l.byPos[next]].pos-pos)
		}
		p.n = min(a.area.off(pos+n), a.j.src.Size()) - p.off
		if p.off == a.j.at {
			p.kind = superPart
		}
		l.add(p)
		next, pos = p.hi, pos+n
	}
	return next
}

// order lists the pieces in the order of a scan. In log order the superblock
// comes first, then the live window by sequence, then the rest.
func (l *layout) order(o format.Order) []int32 {
	out := make([]int32, len(l.pieces))
	for i := range out {
		out[i] = int32(i)
	}
	if o == format.LogOrder {
		slices.SortStableFunc(out, func(x, y int32) int { return cmp.Compare(l.rank(x), l.rank(y)) })
	}
	return out
}

func (l *layout) rank(i int32) int32 {
	p := &l.pieces[i]
	switch {
	case p.kind == superPart:
		return -1
	case p.hi > p.lo:
		return l.byPos[p.lo]
	}
	return math.MaxInt32
}
