package semj

import (
	"context"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// visit receives each record of a walk, with the bytes of the event that it
// holds, if any. It returns false to stop.
type visit func(rec *format.Record, event []byte) bool

// file is a SEMJ file as a [body].
type file struct{ src format.Source }

func (f file) source() format.Source { return f.src }

// fileWalk is one pass over a SEMJ file.
type fileWalk struct {
	ctx   context.Context
	frame *frame
	depth depth
	visit visit
	rec   format.Record
	chain chain
}

// walk visits every record of the file in the order of offsets.
func (f file) walk(ctx context.Context, d depth, v visit) error {
	fr, _ := readFrame(f.src)
	w := &fileWalk{ctx: ctx, frame: fr, depth: d, visit: v}
	for _, step := range []func() (bool, error){w.header, w.events, w.index, w.tail} {
		if more, err := step(); err != nil || !more {
			return err
		}
	}
	return nil
}

// begin starts a record of n bytes at off.
func begin(rec *format.Record, src format.Source, off, n int64) {
	rec.Reset()
	rec.JournalOffset, rec.Offset, rec.Length = off, format.Place(src, off), n
}

func (w *fileWalk) start(off, n int64) *format.Record {
	begin(&w.rec, w.frame.src, off, n)
	return &w.rec
}

func (w *fileWalk) header() (bool, error) {
	n := min(w.frame.size, HeaderSize)
	if n == 0 {
		return true, nil
	}
	rec := w.start(0, n)
	if w.frame.failed {
		rec.Fault(CodeUnreadable, "the file header can't be read")
		return w.visit(rec, nil), nil
	}
	rec.Kind, rec.Sum, rec.Raw = format.Superblock, w.frame.sum, w.frame.raw
	if w.depth == full {
		rec.Fields = append(rec.Fields, w.frame.fields...)
	}
	return w.visit(rec, nil), nil
}

func (w *fileWalk) events() (bool, error) {
	walk := newWalker(w.ctx, w.frame.src, HeaderSize, w.frame.events)
	for {
		p, ok, err := walk.next()
		if err != nil || !ok {
			return err == nil, err
		}
		rec := w.start(p.off, p.size)
		if p.event() {
			fillEvent(rec, found{b: p.raw, raw: p.raw, sum: p.sum}, w.depth, &w.chain)
		} else {
			w.gap(rec, &p)
		}
		if !w.visit(rec, p.raw) {
			return false, nil
		}
	}
}

// gap notes why no event was taken at the start of a gap, and the gap.
func (w *fileWalk) gap(rec *format.Record, p *piece) {
	if w.frame.padding(p.off) && rec.End() == w.frame.events {
		return
	}
	switch p.why {
	case unreadable:
		rec.Fault(CodeUnreadable, "these bytes can't be read")
		return
	case badSize:
		rec.Fault(CodeEventSize, "an event's sizes contradict each other or exceed the limits")
	case tooLong:
		rec.Fault(CodeEventTruncated, "an event is cut off by the end of the events")
	}
	rec.Fault(CodeGap, fmt.Sprintf("%d bytes among the events are no event", rec.Length))
}

func (w *fileWalk) index() (bool, error) {
	c := newIndexCheck(w.ctx, w.frame)
	for i := range w.frame.entries {
		if err := w.ctx.Err(); err != nil {
			return false, err
		}
		rec := w.start(w.frame.index+i*IndexEntrySize, IndexEntrySize)
		rec.Kind = format.Index
		b, err := c.win.At(rec.JournalOffset, IndexEntrySize)
		if err != nil {
			rec.Fault(CodeUnreadable, "the index entry can't be read")
		} else if err := w.entry(rec, b, c, i); err != nil {
			return false, err
		}
		if !w.visit(rec, nil) {
			return false, nil
		}
	}
	return true, nil
}

// entry fills the record of index entry i, whose bytes are b.
func (w *fileWalk) entry(rec *format.Record, b []byte, c *indexCheck, i int64) error {
	x := readIndexEntry(b, &rec.Fields)
	rec.Raw = b
	if w.depth != full {
		rec.Fields = rec.Fields[:0]
	}
	what, err := c.check(&x, i)
	if what != "" {
		f := rec.Fault(CodeIndexMismatch, what)
		f.Fields.Uint("event_id", idxID, 8, x.ID)
		f.Fields.Uint("storage_offset", idxOffset, 8, x.Offset)
	}
	return err
}

// tail visits what follows the index.
func (w *fileWalk) tail() (bool, error) {
	from := max(w.frame.indexEnd(), min(w.frame.size, HeaderSize))
	if from >= w.frame.size {
		return true, nil
	}
	return w.visit(w.start(from, w.frame.size-from), nil), nil
}

// stamps calls f for the intact events in [from, to).
func (f file) stamps(ctx context.Context, from, to int64, each func(stamp)) error {
	w := newWalker(ctx, f.src, from, to)
	for {
		p, ok, err := w.next()
		if err != nil || !ok {
			return err
		}
		if p.good() {
			each(stampOf(p.raw))
		}
	}
}
