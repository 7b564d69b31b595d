package semj

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

func TestFindNamesTheReason(t *testing.T) {
	swap := func(b []byte) []byte {
		b = slices.Clone(b)
		for i := 0; i+4 <= 12; i += 4 {
			slices.Reverse(b[i : i+4])
		}
		return b
	}
	version := header(func(h *Header) { h.Major = 2 })
	for _, c := range []struct {
		name    string
		ft      *format.Format
		b       []byte
		salvage bool
		class   error
		says    string
	}{
		{"nothing", Format, nil, true, format.ErrUnknownFormat, "no SEMJ magic"},
		{"zeros", Format, make([]byte, 4096), true, format.ErrUnknownFormat, "no SEMJ magic"},
		{"destroyed magic", Format, append([]byte("XXXX"), plain(t)[4:]...), false, format.ErrUnknownFormat, "no SEMJ magic"},
		{"blocks", Format, stored(t), true, format.ErrUnknownFormat, "no SEMJ magic"},
		{"one event is no chain", Format, append([]byte("XXXX"), buildFile(t, compact(1), false)[4:]...), true, format.ErrUnknownFormat, "no SEMJ magic"},
		{"byte-swapped", Format, swap(plain(t)), false, format.ErrUnsupported, "byte-swapped"},
		{"byte-swapped magic alone", Format, []byte("SEMJ is a text"), false, format.ErrUnknownFormat, "byte-swapped"},
		{"version", Format, version(plain(t)), true, format.ErrUnsupported, "version 2.0"},
		{"version without sum", Format, []byte("JMES\x02\x00\x00\x00\x00\x00\x00\x00"), false, format.ErrUnsupported, "version 2"},
		{"no blocks", Stor, make([]byte, 4096), true, format.ErrUnknownFormat, "no STOR magic"},
		{"file", Stor, plain(t), true, format.ErrUnknownFormat, "no STOR magic"},
		{"swapped blocks", Stor, swap(stored(t)), false, format.ErrUnsupported, "byte-swapped"},
		{"swapped block magic alone", Stor, []byte("STOR is a text"), false, format.ErrUnknownFormat, "byte-swapped"},
		{"block version", Stor, inBlock(func(b []byte) { b[blkVersion] = 2 })(stored(t)), false, format.ErrUnsupported, "version 2"},
	} {
		_, err := c.ft.Find(t.Context(), format.NewBytes(c.name, c.b), format.Options{Salvage: c.salvage})
		if !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// reads counts the bytes that are read.
type reads struct {
	*format.Bytes
	n int
}

func (r *reads) ReadAt(p []byte, off int64) (int, error) {
	r.n += len(p)
	return r.Bytes.ReadAt(p, off)
}

func TestFindIsCheap(t *testing.T) {
	noise := make([]byte, 8<<20)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	for _, ft := range []*format.Format{Format, Stor} {
		for salvage, limit := range map[bool]int{false: 2 * BlockSize, true: 2 << 20} {
			src := &reads{Bytes: format.NewBytes("noise", noise)}
			if _, err := ft.Find(t.Context(), src, format.Options{Salvage: salvage}); err == nil {
				t.Errorf("%s took noise for a journal", ft.Name)
			}
			if src.n > limit {
				t.Errorf("%s, salvage %t: %d bytes read", ft.Name, salvage, src.n)
			}
		}
	}
}

// A journal without its first kilobytes is still found and read.
func TestSalvageWithoutTheBeginning(t *testing.T) {
	b := buildFile(t, compact(200), false)
	clear(b[:5000])
	r := read(t, Format, format.NewBytes("cut", b), format.Options{Salvage: true})
	if n := len(r.events()); n < 150 {
		t.Errorf("%d events", n)
	}
	if got := slices.Compact(r.codes()); !slices.Contains(got, CodeMagic) || slices.Contains(got, CodeCount) {
		t.Errorf("faults %v: a header that is none has no numbers", got)
	}
}

func TestInfo(t *testing.T) {
	r := readBytes(t, Format, indexed(t))
	i := r.info
	if i.State != format.Clean || !i.HasSeq || i.FirstSeq != 1 || i.LastSeq != 4 || strings.Join(i.Variant, " ") != "1.0 index" || i.Geometry.Num("total_events") != 4 {
		t.Errorf("%+v", i)
	}
	longer := readBytes(t, Format, buildFile(t, compact(5), true)).info
	if i.Mark == "" || i.Mark == longer.Mark {
		t.Error("the mark does not tell two journals apart")
	}
	i = readBytes(t, Stor, buildBlocks(t, compact(100))).info
	if i.State != format.Clean || i.LastSeq != 100 || i.Geometry.Num("blocks") != 6 || i.Geometry.Num("events") != 100 {
		t.Errorf("%+v", i)
	}
}

func TestCancel(t *testing.T) {
	for ft, b := range map[*format.Format][]byte{Format: buildFile(t, compact(100), true), Stor: buildBlocks(t, compact(100))} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		j, err := ft.Find(t.Context(), format.NewBytes("j", b), format.Options{})
		if err != nil {
			t.Fatal(err)
		}
		n, last := 0, error(nil)
		for _, err := range j.Scan(ctx, format.Scan{}) {
			if n++; n == 2 {
				cancel()
			}
			last = err
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("%s: the scan ended after %d records with %v", ft.Name, n, last)
		}
		if _, err := j.Describe(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Describe: %v", ft.Name, err)
		}
	}
}

func TestScanStopsWhenTold(t *testing.T) {
	for ft, b := range map[*format.Format][]byte{Format: indexed(t), Stor: stored(t)} {
		total := len(readBytes(t, ft, b).records)
		for stop := 1; stop <= total; stop++ {
			j, _ := ft.Find(t.Context(), format.NewBytes("j", b), format.Options{})
			n := 0
			for range j.Scan(t.Context(), format.Scan{}) {
				if n++; n == stop {
					break
				}
			}
		}
	}
}

func TestBriefScanHasNoFields(t *testing.T) {
	j, _ := Format.Find(t.Context(), format.NewBytes("j", indexed(t)), format.Options{})
	for rec, err := range j.Scan(t.Context(), format.Scan{Brief: true}) {
		if err != nil || len(rec.Fields) != 0 || rec.Kind == format.Event && rec.Event == nil {
			t.Errorf("%+v, %v", rec, err)
		}
	}
}

func TestBadSector(t *testing.T) {
	events := compact(200)
	b := buildFile(t, events, true)
	src := &badDisk{format.NewBytes("bad", b), 8192, 12288}
	r := read(t, Format, src, format.Options{})
	if n := len(r.events()); n < 200-40 || n >= 200 {
		t.Errorf("%d events", n)
	}
	if got := r.codes(); !slices.Contains(got, CodeUnreadable) {
		t.Errorf("faults %v", got)
	}
	src = &badDisk{format.NewBytes("bad", b), 0, 4096}
	if _, err := tryRead(Format, src, format.Options{}); !errors.Is(err, errBadSector) {
		t.Errorf("an unreadable header: %v", err)
	}
	if n := len(read(t, Format, src, format.Options{Salvage: true}).events()); n < 150 {
		t.Errorf("%d events salvaged", n)
	}
	b = buildBlocks(t, events)
	src = &badDisk{format.NewBytes("bad", b), 8192, 12288}
	if got := slices.Compact(readSrc(t, Stor, src).codes()); !slices.Contains(got, CodeUnreadable) {
		t.Errorf("faults %v", got)
	}
}

func readSrc(t *testing.T, ft *format.Format, src format.Source) *reading {
	return read(t, ft, src, format.Options{})
}

// Damage of any length at any place costs the events it touches and no other.
func TestResynchronisation(t *testing.T) {
	whole := buildFile(t, compact(60), false)
	r := rand.New(rand.NewPCG(9, 9))
	for range 300 {
		b := slices.Clone(whole)
		from := HeaderSize + r.IntN(len(b)-HeaderSize)
		to := min(len(b), from+1+r.IntN(700))
		for i := from; i < to; i++ {
			b[i] = byte(r.Uint32())
		}
		hit := 0
		for _, e := range readBytes(t, Format, whole).events() {
			if e.Offset < int64(to) && e.Offset+e.Length > int64(from) {
				hit++
			}
		}
		intact := 0
		for _, e := range readBytes(t, Format, b).events() {
			if e.Sum == format.SumOK {
				intact++
			}
		}
		if intact != 60-hit {
			t.Fatalf("bytes %d to %d hit %d of 60 events, %d are left", from, to, hit, intact)
		}
	}
}

// Headers that overlap each other and all look plausible are passed over with
// a bounded number of sums.
func TestSearchIsBounded(t *testing.T) {
	b := make([]byte, 4<<20)
	copy(b, buildFile(t, nil, false))
	// Each header claims the largest payload, and starts within the last one.
	for at := HeaderSize + 1; at+EventSize <= len(b); at += 36 {
		le.PutUint32(b[at+evVersion:], eventVersion)
		le.PutUint32(b[at+evPayload:], MaxPayload)
		le.PutUint32(b[at+evSize:], EventSize+MaxPayload)
	}
	good := encode(t, kernelEvent(0))
	copy(b[len(b)-len(good):], good)
	w := newWalker(t.Context(), format.NewBytes("hostile", b), HeaderSize, int64(len(b)))
	n := 0
	for {
		_, ok, err := w.next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		n++
	}
	limit := int64(creditFirst + creditRate*len(b))
	if w.spent > limit || w.spent < limit/2 {
		t.Errorf("%d bytes summed, limit %d: too many, or the input is too tame to tell", w.spent, limit)
	}
	t.Logf("%d pieces", n)
}

// The index check follows the index across events it does not list.
func TestIndexOfFewerEvents(t *testing.T) {
	b := indexed(t)
	at := DecodeHeader(b).IndexOffset
	b = slices.Delete(b, int(at)+IndexEntrySize, int(at)+2*IndexEntrySize)
	h := DecodeHeader(b)
	h.JournalSize -= IndexEntrySize
	h.TotalEvents--
	h.Checksum = h.Sum()
	copy(b, h.Encode())
	if got := readBytes(t, Format, b).codes(); !slices.Equal(got, []string{CodeCount}) {
		t.Errorf("faults %v", got)
	}
}
