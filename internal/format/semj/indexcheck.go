package semj

import (
	"context"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// indexCheck compares index entries with the events they point at. A second
// walker keeps step with the entries, so nothing has to be remembered.
type indexCheck struct {
	f    *frame
	win  *format.Window
	walk *walker
	cur  piece // the walker's event that no entry has claimed yet
	has  bool
	prev int64 // where the last event compared lies
}

func newIndexCheck(ctx context.Context, f *frame) *indexCheck {
	c := &indexCheck{f: f, win: window(f.src, f.entries*IndexEntrySize)}
	if f.entries > 0 {
		c.walk = newWalker(ctx, f.src, HeaderSize, f.events)
	}
	return c
}

// check compares entry i with the event it points at and says what differs, or
// "". An event whose own sum is wrong is no witness against the index.
func (c *indexCheck) check(x *IndexEntry, i int64) (string, error) {
	if err := c.advance(); err != nil {
		return "", err
	}
	if x.Offset != uint64(c.cur.off) || !c.has {
		if !c.credible(x, i) {
			return c.nothing(x), nil
		}
		for c.has && c.cur.off < int64(x.Offset) {
			c.has = false
			if err := c.advance(); err != nil {
				return "", err
			}
		}
	}
	if !c.has || x.Offset != uint64(c.cur.off) {
		return c.nothing(x), nil
	}
	return c.compare(x), nil
}

func (c *indexCheck) nothing(x *IndexEntry) string {
	return fmt.Sprintf("the index points at byte %d, where no event starts", x.Offset)
}

func (c *indexCheck) compare(x *IndexEntry) string {
	c.has, c.prev = false, c.cur.off
	want := entryOf(c.cur.raw, c.cur.off)
	want.Flags = x.Flags
	if want == *x || !c.cur.good() {
		return ""
	}
	return fmt.Sprintf("the index describes event %d other than the event at byte %d is", x.ID, c.cur.off)
}

// advance makes cur the next event, if the last one was dealt with.
func (c *indexCheck) advance() error {
	for !c.has {
		p, ok, err := c.walk.next()
		if err != nil || !ok {
			return err
		}
		c.cur, c.has = p, p.event()
	}
	return nil
}

// credible reports whether entry i's offset lies between those of its
// neighbours, so that it is worth walking there.
func (c *indexCheck) credible(x *IndexEntry, i int64) bool {
	next := uint64(c.f.events)
	if i+1 < c.f.entries {
		b, err := c.win.At(c.f.index+(i+1)*IndexEntrySize, IndexEntrySize)
		if err == nil {
			next = min(next, le.Uint64(b[idxOffset:]))
		}
	}
	return x.Offset > uint64(c.prev) && x.Offset < next
}
