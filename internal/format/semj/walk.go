package semj

import (
	"context"

	"github.com/vexfs/vexctl/internal/format"
)

const (
	windowSize = 1 << 20
	sectorSize = 4096
)

// piece is what a walker found next: an event, or a gap.
type piece struct {
	off, size int64
	// raw holds an event's bytes until the next step.
	raw []byte
	// why is taken for an event, else the reason why none starts at off.
	why verdict
	// sum is the event's sum as computed.
	sum uint32
}

func (p *piece) event() bool { return p.why == taken }

// good reports whether the piece is an event with the right sum.
func (p *piece) good() bool { return p.event() && p.sum == le.Uint32(p.raw[evSum:]) }

// walker steps through a region of events.
type walker struct {
	ctx context.Context
	src format.Source
	win *format.Window
	pos int64
	end int64
	// start and spent keep the account of the search; see search.
	start, spent int64
}

// newWalker walks [start, end) of src.
func newWalker(ctx context.Context, src format.Source, start, end int64) *walker {
	return &walker{ctx: ctx, src: src, win: window(src, end-start), pos: start, start: start, end: end}
}

// window returns a Window on src for walking through n bytes.
func window(src format.Source, n int64) *format.Window {
	return format.NewWindow(src, int(min(max(n, 0), windowSize)))
}

// next returns the next piece; ok is false at the end of the region.
func (w *walker) next() (p piece, ok bool, err error) {
	if w.pos >= w.end {
		return p, false, nil
	}
	if err := w.ctx.Err(); err != nil {
		return p, false, err
	}
	p = w.at(w.pos)
	switch p.why {
	case taken:
	case unreadable:
		p.size, err = w.skipUnreadable(p)
	default:
		var to int64
		to, err = w.search(w.pos + 1)
		p.size = to - p.off
	}
	w.pos += p.size
	return p, err == nil, err
}

// at judges what is at off. The size of an unreadable piece is that of the
// event whose header could be read, or 0.
func (w *walker) at(off int64) piece {
	p := piece{off: off, why: unreadable}
	room := w.end - off
	h, err := w.win.At(off, int(min(room, EventSize)))
	if err != nil {
		return p
	}
	size, why := measure(h, room)
	if why != taken {
		p.why = why
		return p
	}
	p.size = int64(size)
	if p.raw, err = w.win.At(off, size); err != nil {
		p.raw = nil
		return p
	}
	p.why, p.sum = taken, sumWithout(p.raw, evSum)
	return p
}

// skipUnreadable returns the size of the piece that starts with p and can't be
// read: the whole event if its header was read, else everything up to the next
// sector that can be read.
func (w *walker) skipUnreadable(p piece) (int64, error) {
	if p.size > 0 {
		return p.size, nil
	}
	to := (p.off/sectorSize + 1) * sectorSize
	for to < w.end && !w.readable(to) {
		if err := w.ctx.Err(); err != nil {
			return 0, err
		}
		to += sectorSize
	}
	return min(to, w.end) - p.off, nil
}

func (w *walker) readable(off int64) bool {
	n := int(min(sectorSize, w.end-off))
	got, _ := w.src.ReadAt(make([]byte, n), off)
	return got == n
}
