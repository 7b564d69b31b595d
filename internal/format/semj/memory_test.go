package semj

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/formattest"
)

// bigJournal writes n compact events, each linked to one before it, and
// returns the file.
func bigJournal(t *testing.T, n int, far bool) *format.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "big.semj")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(f, WriterOptions{Index: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		e := kernelEvent(i)
		cause := max(e.ID-1, 2)
		if far {
			cause = 2 + uint64(i)*2654435761%uint64(i+1)
		}
		e.Links = []Link{{Cause: cause, Effect: e.ID, Strength: 50}}
		if err := w.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	src, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func TestMemoryOfALargeJournal(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a large journal")
	}
	for far, n := range map[bool]int{false: 300_000, true: 60_000} {
		src := bigJournal(t, n, far)
		formattest.Memory(t, Format, src, 24<<20)
	}
}

// However many events there are, the directory stays within its bounds and
// still finds each.
func TestDirectoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("adds millions of events")
	}
	const n = 5_000_000
	var d directory
	for i := range int64(n) {
		d.add(stamp{uint64(i)*3 + 1, i}, i*10, i*10+10)
	}
	if len(d.marks) >= maxMarks || len(d.marks) < maxMarks/4 {
		t.Errorf("%d marks", len(d.marks))
	}
	f := &finder{ctx: t.Context(), dir: &d, body: evenly{}}
	for i := int64(0); i < n; i += 977 {
		if at, a, err := f.find(uint64(i)*3 + 1); at != i || a != present || err != nil {
			t.Fatalf("event %d: %d, %d, %v", i, at, a, err)
		}
		if _, a, _ := f.find(uint64(i)*3 + 2); a != absent {
			t.Fatalf("an event between %d and the next was found", i)
		}
	}
}

// evenly is a body of events of ten bytes each.
type evenly struct{ body }

func (evenly) stamps(_ context.Context, from, to int64, each func(stamp)) error {
	for off := from; off < to; off += 10 {
		each(stamp{uint64(off/10)*3 + 1, off / 10})
	}
	return nil
}

// Events out of order are remembered one by one; beyond the limit nobody is
// told that an event is missing.
func TestDirectoryOfStrays(t *testing.T) {
	var d directory
	d.add(stamp{1 << 40, 7}, 0, 10)
	for i := range uint64(maxStrays + 1) {
		d.add(stamp{i, int64(i)}, 0, 10)
	}
	f := &finder{ctx: t.Context(), dir: &d, body: evenly{}}
	if at, a, _ := f.find(77); at != 77 || a != present {
		t.Errorf("a stray: %d, %d", at, a)
	}
	if _, a, _ := f.find(maxStrays + 5); a != perhaps {
		t.Errorf("beyond the limit: %d", a)
	}
}
