package semj

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// memFile is a file in memory.
type memFile struct{ b []byte }

func (m *memFile) WriteAt(p []byte, off int64) (int, error) {
	if need := int(off) + len(p); need > len(m.b) {
		m.b = append(m.b, make([]byte, need-len(m.b))...)
	}
	return copy(m.b[off:], p), nil
}

func (m *memFile) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m.b).ReadAt(p, off)
}

// kernelEvent is event number i, from 0, with the values the kernel gives.
func kernelEvent(i int) *Event {
	id := uint64(i) + 2
	return &Event{
		ID: id, Type: 0x0101, KTime: 5000000000 + int64(i)*1000, TimeSeq: uint64(i) + 1, CPU: 1, PID: 4242,
		GlobalSeq: uint64(i) + 1, LocalSeq: uint64(i) + 1, Flags: 8, Priority: 3, Version: 1,
		RootCause: id, Visibility: math.MaxUint64, Relevance: 50, ReplayPriority: 3,
	}
}

// compact returns n compact events; every third has a payload, and the last
// one is linked to the first.
func compact(n int) []*Event {
	var out []*Event
	for i := range n {
		e := kernelEvent(i)
		if i%3 == 0 {
			e.Payload = []byte("hi")
		}
		out = append(out, e)
	}
	if n > 1 {
		last := out[n-1]
		last.Parent = out[0].ID
		last.Links = []Link{{Cause: out[0].ID, Effect: last.ID, Type: 1, Strength: 75, Delay: 9, Text: "because"}}
	}
	return out
}

func buildFile(t testing.TB, events []*Event, index bool) []byte {
	t.Helper()
	var m memFile
	w, err := NewWriter(&m, WriterOptions{Index: index})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := w.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return m.b
}

func buildBlocks(t testing.TB, events []*Event) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewBlockWriter(&b)
	for _, e := range events {
		if err := w.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// encode is the bytes of one event.
func encode(t testing.TB, e *Event) []byte {
	t.Helper()
	b, err := e.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mendHeader makes the sum of a SEMJ file header right.
func mendHeader(b []byte) {
	if len(b) >= HeaderSize {
		le.PutUint32(b[hdrSum:], sumWithout(b[:HeaderSize], hdrSum))
	}
}

// mendEvent makes the sum of the event that b starts with right.
func mendEvent(b []byte) {
	if size, why := measure(b, int64(len(b))); why == taken {
		le.PutUint32(b[evSum:], sumWithout(b[:size], evSum))
	}
}

// mendBlock makes the sum of a STOR block right.
func mendBlock(b []byte) { le.PutUint32(b[blkSum:], sumWithout(b[:BlockSize], blkSum)) }

// reading is everything that can be learned from a journal.
type reading struct {
	info    *format.Info
	records []*format.Record
}

// faults returns those of the journal, then those of the records.
func (r *reading) faults() []format.Fault {
	out := slices.Clone(r.info.Faults)
	for _, x := range r.records {
		out = append(out, x.Faults...)
	}
	return out
}

// codes returns the codes of all faults, sorted.
func (r *reading) codes() []string {
	var out []string
	for _, f := range r.faults() {
		out = append(out, f.Code)
	}
	slices.Sort(out)
	return out
}

func (r *reading) events() []*format.Record {
	return slices.DeleteFunc(slices.Clone(r.records), func(x *format.Record) bool { return x.Kind != format.Event })
}

func read(t testing.TB, ft *format.Format, src format.Source, opt format.Options) *reading {
	t.Helper()
	r, err := tryRead(ft, src, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tryRead(ft *format.Format, src format.Source, opt format.Options) (*reading, error) {
	ctx := context.Background()
	j, err := ft.Find(ctx, src, opt)
	if err != nil {
		return nil, err
	}
	r := &reading{}
	if r.info, err = j.Describe(ctx); err != nil {
		return nil, err
	}
	for rec, err := range j.Scan(ctx, format.Scan{}) {
		if err != nil {
			return nil, err
		}
		r.records = append(r.records, rec.Clone())
	}
	return r, nil
}

func readBytes(t testing.TB, ft *format.Format, b []byte) *reading {
	t.Helper()
	return read(t, ft, format.NewBytes(t.Name(), b), format.Options{})
}

// badDisk is a Source on which some sectors can't be read.
type badDisk struct {
	*format.Bytes
	from, to int64
}

var errBadSector = errors.New("input/output error")

func (d *badDisk) ReadAt(p []byte, off int64) (int, error) {
	end := off + int64(len(p))
	if end <= d.from || off >= d.to {
		return d.Bytes.ReadAt(p, off)
	}
	if off >= d.from {
		return 0, errBadSector
	}
	n, err := d.Bytes.ReadAt(p[:d.from-off], off)
	if err == nil || err == io.EOF {
		err = errBadSector
	}
	return n, err
}
