package semj

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// fullDevice has room for so many bytes.
type fullDevice struct {
	memFile
	room int
}

var errFull = errors.New("no space left on device")

func (d *fullDevice) WriteAt(p []byte, off int64) (int, error) {
	if int(off)+len(p) > d.room {
		return 0, errFull
	}
	return d.memFile.WriteAt(p, off)
}

func (d *fullDevice) Write(p []byte) (int, error) {
	if d.room -= len(p); d.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriterReportsAFullDevice(t *testing.T) {
	whole := len(buildFile(t, compact(50), true))
	for _, room := range []int{10, HeaderSize, 1000, whole - 60, whole - 1} {
		w, _ := NewWriter(&fullDevice{room: room}, WriterOptions{Index: true})
		var err error
		for _, e := range compact(50) {
			err = errors.Join(err, w.Append(e))
		}
		if err = errors.Join(err, w.Close()); !errors.Is(err, errFull) {
			t.Errorf("room for %d of %d bytes: %v", room, whole, err)
		}
	}
	w := NewBlockWriter(&fullDevice{room: BlockSize})
	var err error
	for _, e := range compact(50) {
		err = errors.Join(err, w.Append(e))
	}
	if err = errors.Join(err, w.Close()); !errors.Is(err, errFull) {
		t.Errorf("blocks: %v", err)
	}
}

func TestWriterOptions(t *testing.T) {
	var m memFile
	w, err := NewWriter(&m, WriterOptions{NextEventID: 1000, Minor: 3, Flags: 7})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(kernelEvent(0)); err != nil {
		t.Fatal(err)
	}
	if err := w.Append(&Event{ID: math.MaxUint64}); err == nil {
		t.Error("an id without a next one was accepted")
	}
	if err := w.Append(&Event{Payload: make([]byte, MaxPayload+1)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a payload too large: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Append(kernelEvent(1)); err == nil {
		t.Error("an event was appended after Close")
	}
	h := DecodeHeader(m.b)
	if h.NextEventID != 1000 || h.Minor != 3 || h.Flags != 7 || h.TotalEvents != 1 || h.JournalSize != uint64(len(m.b)) || h.Checksum != h.Sum() {
		t.Errorf("%+v", h)
	}
	if _, err := NewWriter(struct{ io.WriterAt }{&m}, WriterOptions{Index: true}); err == nil {
		t.Error("an index was promised that can't be made")
	}
}

func TestBlockWriterRefusesWhatDoesNotFit(t *testing.T) {
	w := NewBlockWriter(io.Discard)
	big := kernelEvent(0)
	big.Payload = make([]byte, DataArea-EventSize+1)
	whole := kernelEvent(0)
	whole.Context = &Context{}
	for _, e := range []*Event{big, whole} {
		if err := w.Append(e); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v", err)
		}
	}
	big.Payload = big.Payload[1:]
	if err := w.Append(big); err != nil {
		t.Error(err)
	}
}

// What is read from a journal and written again is the same journal.
func TestRewrite(t *testing.T) {
	for _, index := range []bool{false, true} {
		b := buildFile(t, append(compact(4), wholeContextFrom(4)...), index)
		var events []*Event
		for _, rec := range readBytes(t, Format, b).events() {
			e, err := FromSemantic(rec.Event)
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
		}
		if !bytes.Equal(buildFile(t, events, index), b) {
			t.Errorf("index %t: other bytes", index)
		}
	}
	b := buildBlocks(t, compact(90))
	var events []*Event
	for _, rec := range readBytes(t, Stor, b).events() {
		e, err := DecodeEvent(rec.Raw)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	if !bytes.Equal(buildBlocks(t, events), b) {
		t.Error("blocks: other bytes")
	}
}

// wholeContextFrom returns two events with contexts, from number i on.
func wholeContextFrom(i int) []*Event {
	a, b := kernelEvent(i), kernelEvent(i+1)
	a.Context = &Context{Transaction: 3, Path: "/old\x00leftover", AgentID: "agent"}
	b.Context = &Context{}
	return []*Event{a, b}
}

// A block takes no more events than its table has rows.
func TestBlockIsFullByRows(t *testing.T) {
	var many []*Event
	for i := range 100 {
		e := kernelEvent(i)
		many = append(many, e)
	}
	r := readBytes(t, Stor, buildBlocks(t, many))
	counts := []uint64{}
	for _, rec := range r.records {
		if rec.Kind == format.Storage {
			counts = append(counts, rec.Fields.Num("event_count"))
		}
	}
	// 2488 bytes hold 18 events of 132.
	if want := []uint64{18, 18, 18, 18, 18, 10}; !slices.Equal(counts, want) {
		t.Errorf("events per block %v, want %v", counts, want)
	}
}
