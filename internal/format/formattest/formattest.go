// Package formattest is the conformance suite that every journal format runs.
//
// It holds a format to the two laws of package format: a physical scan tiles
// the journal, and damage is data. It cuts a small journal off at every byte
// and flips every one of its bits; a scan may then find whatever it finds, but
// it must end, keep to the tiling, stay within its memory, and leave the input
// alone. Bits that a format promises to guard must be noticed.
package formattest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// Sample is a journal to try a format on.
type Sample struct {
	Name  string
	Bytes []byte
	// Device is the external journal that goes with Bytes, or nil.
	Device []byte
	// Guarded says whether any flipped bit of the byte at off must raise a
	// fault of severity warning or above; nil guards nothing.
	Guarded func(off int) bool
	// Faults lists the codes, warnings and errors, that the sample raises as
	// it is.
	Faults []string
	// Cuts and Flips are the strides of the truncation and bit-flip tests, in
	// bytes; 0 means every one.
	Cuts, Flips int
	// Used lists the byte ranges [from, to) of a large sample that hold
	// something, in order. The rest is zeros: it is shown to the format as the
	// holes of a sparse file, and cut and flipped only every [Sparse] bytes.
	// Empty means that all of it is used.
	Used [][2]int
}

// Sparse is the stride in the unused parts of a sample, in bytes.
const Sparse = 131071

// used says whether the byte at off is to be tried with the sample's strides.
func (s Sample) used(off int) bool {
	return len(s.Used) == 0 || s.nextUsed(off) == off
}

// nextUsed returns the first used byte at or after off.
func (s Sample) nextUsed(off int) int {
	for _, r := range s.Used {
		if off < r[1] {
			return max(off, r[0])
		}
	}
	return len(s.Bytes)
}

// tried says whether a test with the given stride looks at the byte at off.
func (s Sample) tried(off, stride int) bool {
	if s.used(off) {
		return off%max(stride, 1) == 0
	}
	return off%Sparse == 0
}

// sparse is a sample, or the beginning of one, that knows its holes.
type sparse struct {
	*format.Bytes
	s Sample
}

func (p sparse) NextData(off int64) int64 { return int64(p.s.nextUsed(int(off))) }

// source shows b, which is the sample's bytes or a part or a variant of them.
func (s Sample) source(b []byte) format.Source {
	if len(s.Used) == 0 {
		return format.NewBytes(s.Name, b)
	}
	return sparse{format.NewBytes(s.Name, b), s}
}

// Run runs the suite.
func Run(t *testing.T, f *format.Format, samples []Sample) {
	for _, s := range samples {
		t.Run(s.Name, func(t *testing.T) {
			t.Run("intact", func(t *testing.T) { intact(t, f, s) })
			t.Run("truncated", func(t *testing.T) { truncated(t, f, s) })
			t.Run("flipped", func(t *testing.T) { flipped(t, f, s) })
		})
	}
	t.Run("noise", func(t *testing.T) { noise(t, f, samples) })
}

// Check opens src with f and verifies the laws. It returns the codes of the
// faults of severity warning and above, sorted, without repeats. Not being
// recognised is no failure: the error is returned.
func Check(f *format.Format, src format.Source, opt format.Options) ([]string, error) {
	ctx := context.Background()
	j, err := f.Find(ctx, src, opt)
	if err != nil {
		return nil, classified(err)
	}
	info, err := j.Describe(ctx)
	if err != nil {
		return nil, classified(err)
	}
	c := &checker{f: f, size: j.Source().Size(), codes: map[string]bool{}}
	c.faults(info.Faults)
	physical, err := c.tiles(j.Scan(ctx, format.Scan{Order: format.Physical, Explain: true}))
	if err != nil {
		return nil, err
	}
	if err := c.sameRecords(ctx, j, physical); err != nil {
		return nil, err
	}
	return c.sorted(), c.err
}

// classified passes errors of a known class on, and turns any other into a
// failure of the suite.
func classified(err error) error {
	for _, class := range []error{format.ErrUnknownFormat, format.ErrUnsupported, format.ErrCorrupt, format.ErrTruncated, format.ErrNoJournal, format.ErrMismatch} {
		if errors.Is(err, class) {
			return err
		}
	}
	return &Broken{fmt.Sprintf("error of no class: %v", err)}
}

// Broken is an error that means that the format broke a law.
type Broken struct{ what string }

func (b *Broken) Error() string { return b.what }

func broken(format string, args ...any) error { return &Broken{fmt.Sprintf(format, args...)} }

type checker struct {
	f     *format.Format
	size  int64
	codes map[string]bool
	err   error
}

func (c *checker) faults(fs []format.Fault) {
	for _, x := range fs {
		i := slices.IndexFunc(c.f.Rules, func(r format.Rule) bool { return r.Code == x.Code })
		switch {
		case i < 0:
			c.err = broken("fault code %q is not among the format's rules", x.Code)
		case x.Message == "":
			c.err = broken("fault %q has no message", x.Code)
		case c.f.Rules[i].Severity >= format.Warning:
			c.codes[x.Code] = true
		}
	}
}

func (c *checker) sorted() []string {
	out := make([]string, 0, len(c.codes))
	for k := range c.codes {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// tiles checks the first law and returns a digest of each record.
func (c *checker) tiles(seq iter.Seq2[*format.Record, error]) ([]string, error) {
	var at int64
	var out []string
	for r, err := range seq {
		if err != nil {
			return nil, classified(err)
		}
		if r.JournalOffset != at || r.Length <= 0 {
			return nil, broken("tiling: a %s record of %d bytes at %d, expected one at %d", r.Kind, r.Length, r.JournalOffset, at)
		}
		if !slices.Contains(c.f.Kinds, r.Kind) {
			return nil, broken("a %s record at %d: the format does not list this kind", r.Kind, at)
		}
		at = r.End()
		c.faults(r.Faults)
		out = append(out, Digest(r))
		if int64(len(out)) > c.size+1 {
			return nil, broken("more records than bytes")
		}
	}
	if at != c.size {
		return nil, broken("tiling: the records end at %d, the journal at %d", at, c.size)
	}
	return out, nil
}

// sameRecords checks that log order, and parts where there are any, yield the
// very same records.
func (c *checker) sameRecords(ctx context.Context, j format.Journal, physical []string) error {
	var log []string
	for r, err := range j.Scan(ctx, format.Scan{Order: format.LogOrder, Explain: true}) {
		if err != nil {
			return classified(err)
		}
		log = append(log, Digest(r))
	}
	a, b := slices.Clone(physical), slices.Clone(log)
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		return broken("log order and physical order yield different records: %s", firstDifference(a, b))
	}
	if err := sameParts(ctx, j, format.Physical, physical); err != nil {
		return err
	}
	return sameParts(ctx, j, format.LogOrder, log)
}

// sameParts checks that the parts of a scan, joined, are the whole.
func sameParts(ctx context.Context, j format.Journal, order format.Order, whole []string) error {
	sp, ok := j.(format.Splitter)
	if !ok {
		return nil
	}
	parts, err := sp.Split(ctx, format.Scan{Order: order, Explain: true}, 3)
	if err != nil {
		return classified(err)
	}
	var joined []string
	for _, p := range parts {
		for r, err := range p {
			if err != nil {
				return classified(err)
			}
			joined = append(joined, Digest(r))
		}
	}
	if !slices.Equal(joined, whole) {
		return broken("the parts differ from the whole: %s", firstDifference(whole, joined))
	}
	return nil
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%q and %q", a[i], b[i])
		}
	}
	return fmt.Sprintf("%d and %d records", len(a), len(b))
}

// Digest is a line that is equal for equal records.
func Digest(r *format.Record) string {
	codes := make([]string, len(r.Faults))
	for i, f := range r.Faults {
		codes[i] = f.Code
	}
	return fmt.Sprintf("%010d+%d %d %s/%s seq %d %t tid %d %t sum %s block %d %t fields %d faults %v", r.JournalOffset, r.Length, r.Offset,
		r.Kind, r.Zone, r.Seq, r.HasSeq, r.Tid, r.HasTid, r.Sum, r.Block, r.HasBlock, len(r.Fields), codes)
}

func (s Sample) options() format.Options {
	var opt format.Options
	if s.Device != nil {
		opt.JournalDevice = format.NewBytes(s.Name+".device", s.Device)
	}
	return opt
}

func intact(t *testing.T, f *format.Format, s Sample) {
	codes, err := Check(f, s.source(s.Bytes), s.options())
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(slices.Values(s.Faults)); !slices.Equal(codes, want) {
		t.Errorf("faults %v, want %v", codes, want)
	}
}

func truncated(t *testing.T, f *format.Format, s Sample) {
	for _, salvage := range []bool{false, true} {
		opt := s.options()
		opt.Salvage = salvage
		for n := range s.Bytes {
			if !s.tried(n, s.Cuts) {
				continue
			}
			if _, err := Check(f, s.source(s.Bytes[:n:n]), opt); isBroken(err) {
				t.Fatalf("cut off at byte %d (salvage %t): %v", n, salvage, err)
			}
		}
	}
}

func flipped(t *testing.T, f *format.Format, s Sample) {
	b := bytes.Clone(s.Bytes)
	known, plain := s.source(b), format.NewBytes(s.Name, b)
	base := slices.Sorted(slices.Values(s.Faults))
	for at := 0; at < len(b); at++ {
		guarded := s.Guarded != nil && s.Guarded(at)
		if !guarded && !s.tried(at, s.Flips) {
			continue
		}
		src := known
		if !s.used(at) {
			src = plain // a hole that something was written to is none
		}
		for bit := range 8 {
			b[at] ^= 1 << bit
			codes, err := Check(f, src, s.options())
			b[at] ^= 1 << bit
			if isBroken(err) {
				t.Fatalf("bit %d of byte %d flipped: %v", bit, at, err)
			}
			if guarded && err == nil && slices.Equal(codes, base) {
				t.Fatalf("bit %d of byte %d flipped: nothing noticed", bit, at)
			}
		}
	}
	if !bytes.Equal(b, s.Bytes) {
		t.Fatal("the input was changed")
	}
}

// noise feeds a format bytes that are not its own.
func noise(t *testing.T, f *format.Format, samples []Sample) {
	x := uint64(0x9E3779B97F4A7C15)
	rnd := make([]byte, 1<<16)
	for i := range rnd {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		rnd[i] = byte(x)
	}
	for _, b := range [][]byte{nil, {0}, make([]byte, 1<<16), bytes.Repeat([]byte{0xff}, 1<<16), rnd} {
		for _, salvage := range []bool{false, true} {
			_, err := Check(f, format.NewBytes("noise", b), format.Options{Salvage: salvage})
			if err == nil {
				t.Errorf("%d bytes of noise (salvage %t) were taken for a journal", len(b), salvage)
			} else if isBroken(err) {
				t.Error(err)
			}
		}
	}
	for _, s := range samples {
		swapped := bytes.Clone(s.Bytes)
		for i := 0; i+4 <= len(swapped); i += 4 {
			slices.Reverse(swapped[i : i+4])
		}
		if _, err := Check(f, format.NewBytes("byte-swapped "+s.Name, swapped), s.options()); isBroken(err) {
			t.Error(err)
		}
	}
}

func isBroken(err error) bool {
	var b *Broken
	return errors.As(err, &b)
}

// Memory fails the test when a scan of src keeps more than limit bytes alive at
// any time.
func Memory(t *testing.T, f *format.Format, src format.Source, limit uint64) {
	t.Helper()
	var before, peak runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	j, err := f.Find(context.Background(), src, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range j.Scan(context.Background(), format.Scan{Explain: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%5000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&peak)
			if peak.HeapAlloc > before.HeapAlloc+limit {
				t.Fatalf("%d bytes alive after %d records, limit %d", peak.HeapAlloc-before.HeapAlloc, n, limit)
			}
		}
	}
}

// Fuzz adds the samples as seeds and checks the laws on whatever the fuzzer
// makes of them. mend, when not nil, repairs checksums, so that the fuzzer gets
// behind them; it is applied to every second input.
func Fuzz(f *testing.F, ft *format.Format, samples []Sample, mend func([]byte)) {
	for _, s := range samples {
		f.Add(s.Bytes, false)
		f.Add(s.Bytes, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, repair bool) {
		if repair && mend != nil {
			b = bytes.Clone(b)
			mend(b)
		}
		for _, salvage := range []bool{false, true} {
			if _, err := Check(ft, format.NewBytes("fuzz", b), format.Options{Salvage: salvage}); isBroken(err) {
				t.Fatal(err)
			}
		}
	})
}
