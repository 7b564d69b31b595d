package jbd2

import (
	"context"
	"iter"

	"github.com/vexfs/vexctl/internal/format"
)

// piece is a part of the journal that a scan yields in one go.
type piece struct {
	kind     pieceKind
	from, to int64 // ring: distances; otherwise bytes of the journal
}

type pieceKind uint8

const (
	pieceSuper pieceKind = iota
	pieceOutside
	pieceRing // within [0, stopDist)
	pieceRest // within [stopDist, ring)
	pieceFast
)

// pieces divides the journal into what a scan yields in one go.
func (j *Journal) pieces(l *live, order format.Order) []piece {
	if order == format.LogOrder {
		return j.logOrder(l)
	}
	return j.physical(l)
}

// physical lists the pieces in order of their bytes.
func (j *Journal) physical(l *live) []piece {
	g := &j.geo
	out := j.before()
	if r := g.ring(); r > 0 {
		start := int64(g.dist(g.first)) // 0 unless the log begins elsewhere
		out = append(out, split(l, start, int64(r))...)
		out = append(out, split(l, 0, start)...)
	}
	return append(out, j.behind()...)
}

// logOrder lists them in the order of the history.
func (j *Journal) logOrder(l *live) []piece {
	r := int64(j.geo.ring())
	var first, last []piece
	for _, p := range j.before() {
		if p.kind == pieceSuper {
			first = append(first, p)
		} else {
			last = append(last, p)
		}
	}
	if r > 0 {
		first = append(first, j.cut(split(l, 0, int64(l.stopDist)))...)
	}
	for _, p := range j.behind() {
		if p.kind == pieceFast {
			first = append(first, p)
		} else {
			last = append(last, p)
		}
	}
	if r > 0 {
		first = append(first, j.cut(split(l, int64(l.stopDist), r))...)
	}
	return append(first, last...)
}

// before lists what precedes the ring: nothing but the superblock, or on an
// external journal device the filesystem superblock as well.
func (j *Journal) before() []piece {
	g := &j.geo
	size := j.src.Size()
	super, first := min(g.off(g.superBlock), size), min(g.off(g.first), size)
	after := min(super+int64(g.blockSize), first)
	if j.src.Size() == 0 {
		return nil
	}
	var out []piece
	if super > 0 {
		out = append(out, piece{pieceOutside, 0, super})
	}
	if after > super {
		out = append(out, piece{pieceSuper, super, after})
	}
	if first > after {
		out = append(out, piece{pieceOutside, after, first})
	}
	return out
}

// behind lists what follows the ring: the fast-commit area, and bytes that the
// journal does not claim.
func (j *Journal) behind() []piece {
	g := &j.geo
	size := j.src.Size()
	at := min(max(g.off(g.last), g.off(g.first)), size)
	var out []piece
	if fc, end := min(g.off(g.fcFirst), size), min(g.off(g.fcEnd), size); end > fc {
		if fc > at {
			out = append(out, piece{pieceOutside, at, fc})
		}
		out = append(out, piece{pieceFast, fc, end})
		at = end
	}
	if size > at {
		out = append(out, piece{pieceOutside, at, size})
	}
	return out
}

// split divides the distances [from, to) at the end of the live log.
func split(l *live, from, to int64) []piece {
	var out []piece
	stop := int64(l.stopDist)
	if a, b := from, min(to, stop); a < b {
		out = append(out, piece{pieceRing, a, b})
	}
	if a, b := max(from, stop), to; a < b {
		out = append(out, piece{pieceRest, a, b})
	}
	return out
}

// cut divides ring pieces at the ring's first block, where a physical scan
// begins, so that both orders see the same records.
func (j *Journal) cut(pieces []piece) []piece {
	var out []piece
	at := int64(j.geo.dist(j.geo.first))
	for _, p := range pieces {
		if p.from < at && at < p.to {
			out = append(out, piece{p.kind, p.from, at})
			p.from = at
		}
		out = append(out, p)
	}
	return out
}

// Split implements [format.Splitter]: the live log is divided at header blocks.
func (j *Journal) Split(ctx context.Context, opt format.Scan, n int) ([]iter.Seq2[*format.Record, error], error) {
	l, err := j.look(ctx)
	if err != nil {
		return nil, err
	}
	var parts [][]piece
	budget := int64(l.stopDist)/int64(max(n, 1)) + 1
	var part []piece
	used := int64(0)
	for _, p := range j.pieces(l, opt.Order) {
		for p.kind == pieceRing && used+p.to-p.from > budget && len(parts) < n-1 {
			// What is used may be over the budget already: marks are sparse.
			at := int64(l.headers.before(uint32(p.from + max(budget-used, 0))))
			if at <= p.from || at >= p.to {
				break
			}
			parts = append(parts, append(part, piece{pieceRing, p.from, at}))
			part, used, p.from = nil, 0, at
		}
		part = append(part, p)
		if p.kind == pieceRing {
			used += p.to - p.from
		}
	}
	parts = append(parts, part)
	out := make([]iter.Seq2[*format.Record, error], len(parts))
	for i, pieces := range parts {
		out[i] = func(yield func(*format.Record, error) bool) { j.scan(ctx, l, opt, pieces, yield) }
	}
	return out, nil
}
