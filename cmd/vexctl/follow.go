package main

import (
	"context"
	"time"

	"github.com/vexfs/vexctl/internal/format"
)

// A followed journal is glanced at every followPause, and looked at closely
// when a glance shows a change, or after followAnyway.
const (
	followPause  = 200 * time.Millisecond
	followAnyway = 5 * time.Second
)

// cursor is how far a followed journal was printed.
type cursor struct {
	any bool
	seq uint64 // the newest sequence
	// fast commits follow the newest transaction and share the number of the
	// one to come, so they are told apart by their place.
	fastSeq uint64
	fastEnd int64
}

// passed says whether a record was printed before.
func (c *cursor) passed(r *format.Record, f *format.Format) bool {
	switch {
	case !c.any:
		return false
	case !r.HasSeq:
		return true
	case r.Kind == format.FastCommit:
		return r.Seq == c.fastSeq && r.JournalOffset < c.fastEnd
	}
	return !f.After(r.Seq, c.seq)
}

// advance takes note of a record that the next look is to pass over. A damaged
// record's sequence is not to be believed.
func (c *cursor) advance(r *format.Record, f *format.Format) {
	switch {
	case !r.HasSeq || r.Sum == format.SumBad:
	case r.Kind == format.FastCommit:
		c.fastSeq, c.fastEnd = r.Seq, r.End()
	case c.seq == 0 || f.After(r.Seq, c.seq):
		c.seq = r.Seq
	}
}

// follow prints what is there, and then what comes, until it is interrupted.
func (d *decoder) follow(ctx context.Context, path string) error {
	w := newWriter(d.v.kind, d.a.out, d.v.hex)
	if err := w.begin(); err != nil {
		return err
	}
	var at cursor
	printed, mark := 0, ""
	for {
		in, err := d.o.journal.Describe(ctx)
		if err != nil {
			return err
		}
		glance := d.glance()
		if in.Mark != mark {
			if err := d.match.prepare(ctx, d.o.journal); err != nil {
				return err
			}
			done, err := d.printNew(ctx, w, &at, &printed)
			if done || err != nil {
				return err
			}
			mark = in.Mark
		}
		if err := d.wait(ctx, glance); err != nil {
			return err
		}
		fresh, err := d.v.open(ctx, path)
		if err != nil {
			return err
		}
		d.o.close()
		*d.o = *fresh
	}
}

// printNew prints what the cursor has not passed, and says whether the limit
// was reached.
func (d *decoder) printNew(ctx context.Context, w recordWriter, at *cursor, printed *int) (done bool, err error) {
	s := d.scan()
	s.LiveOnly = true
	next := *at
	for r, err := range d.o.journal.Scan(ctx, s) {
		if err != nil {
			return false, err
		}
		if r.Zone == format.Torn || at.passed(r, d.o.format) {
			continue // what is torn may be whole the next time
		}
		next.advance(r, d.o.format)
		if !d.match.Match(r) {
			continue
		}
		if err := writeAll(w, w.record(nil, r)); err != nil {
			return false, err
		}
		if *printed++; *printed == d.v.limit {
			return true, nil
		}
	}
	next.any = true
	*at = next
	return false, nil
}

func (d *decoder) glance() string {
	if w, ok := d.o.journal.(format.Watcher); ok {
		return w.Glance()
	}
	return ""
}

// wait returns when the journal may have changed.
func (d *decoder) wait(ctx context.Context, glance string) error {
	tick := time.NewTicker(followPause)
	defer tick.Stop()
	anyway := time.After(followAnyway)
	_, watched := d.o.journal.(format.Watcher)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-anyway:
			return nil
		case <-tick.C:
			if !watched && d.sizeChanged() || watched && d.glance() != glance {
				return nil
			}
		}
	}
}

// sizeChanged says whether the file behind a journal without a glance has
// grown or shrunk.
func (d *decoder) sizeChanged() bool {
	st, err := d.o.files[0].Stat()
	return err != nil || st.Size() != d.o.files[0].Size()
}
