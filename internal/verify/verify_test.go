package verify_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/verify"
)

// rules of the format that the tests make up.
var rules = []format.Rule{
	{Code: "broken", Severity: format.Damage},
	{Code: "odd", Severity: format.Warning},
	{Code: "unfinished", Severity: format.Warning, Growing: true},
	{Code: "remark", Severity: format.Note},
}

// state is a journal in memory as one look finds it.
type state struct {
	mark    string
	info    []format.Fault
	records []format.Record
	err     error // at the end of the scan
}

func (s *state) Source() format.Source { return format.NewBytes("made up", make([]byte, 1<<20)) }

func (s *state) Describe(context.Context) (*format.Info, error) {
	return &format.Info{Mark: s.mark, Faults: s.info, Provisional: true, State: format.Dirty,
		Transactions: format.Transactions{Committed: 3}}, nil
}

func (s *state) Scan(ctx context.Context, opt format.Scan) iter.Seq2[*format.Record, error] {
	return s.part(0, len(s.records))
}

func (s *state) part(from, to int) iter.Seq2[*format.Record, error] {
	return func(yield func(*format.Record, error) bool) {
		for i := from; i < to; i++ {
			if !yield(&s.records[i], nil) {
				return
			}
		}
		if s.err != nil && to == len(s.records) {
			yield(nil, s.err)
		}
	}
}

// Split makes parts of equal length.
func (s *state) Split(_ context.Context, _ format.Scan, n int) (out []iter.Seq2[*format.Record, error], err error) {
	for i := range n {
		out = append(out, s.part(len(s.records)*i/n, len(s.records)*(i+1)/n))
	}
	return out, nil
}

// record at byte off, with faults of the given codes.
func record(off int64, tid uint64, sum format.Sum, codes ...string) format.Record {
	r := format.Record{Offset: off, JournalOffset: off, Length: 16, Kind: format.Data, Zone: format.Live, Sum: sum}
	r.SetTid(tid)
	for _, c := range codes {
		r.Fault(c, c+" here")
	}
	return r
}

// run verifies a journal that is in the next of the given states at each look,
// and stays in the last one.
func run(t *testing.T, opt verify.Options, states ...*state) (r *verify.Report, looks int) {
	t.Helper()
	opt.Rules = rules
	r, err := verify.Run(context.Background(), func() (format.Journal, error) {
		s := states[min(looks, len(states)-1)]
		looks++
		return s, nil
	}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r, looks
}

func codes(r *verify.Report) (out []string) {
	for _, f := range r.Findings {
		out = append(out, f.Code)
	}
	return out
}

// Faults become findings with their rule's severity, in order of place and then
// of severity; only an error spoils the verdict.
func TestFindings(t *testing.T) {
	s := &state{
		info:    []format.Fault{{Code: "remark", JournalOffset: 48}, {Code: "odd", JournalOffset: 16}},
		records: []format.Record{record(0, 1, format.SumOK), record(16, 1, format.SumBad, "remark"), record(32, 2, format.SumNone)},
	}
	r, _ := run(t, verify.Options{}, s)
	if want := []string{"odd", "remark", "remark"}; !slices.Equal(codes(r), want) || !r.OK {
		t.Errorf("%v, ok %t; want %v, true", codes(r), r.OK, want)
	}
	if r.Checksums != (verify.Checksums{Verified: 1, Failed: 1, Absent: 1}) || r.Records != 3 || r.Info.State != format.Dirty {
		t.Errorf("%+v, %d records, %s", r.Checksums, r.Records, r.Info.State)
	}
	s.records = append(s.records, record(48, 2, format.SumBad, "broken"), record(64, 2, format.SumBad, "broken"))
	r, _ = run(t, verify.Options{}, s)
	if r.OK || r.Info.State != format.Damaged || r.Info.Transactions != (format.Transactions{Committed: 2, Damaged: 1}) {
		t.Errorf("ok %t, %s, %+v", r.OK, r.Info.State, r.Info.Transactions)
	}
}

// Leftovers have checksums, too, but nobody loses anything with them.
func TestLeftoversDoNotCount(t *testing.T) {
	old, torn := record(0, 1, format.SumBad), record(16, 1, format.SumBad)
	old.Zone, torn.Zone = format.Stale, format.Torn
	gap := format.Record{Kind: format.Gap, Length: 16}
	r, _ := run(t, verify.Options{}, &state{records: []format.Record{old, torn, gap}})
	if r.Checksums != (verify.Checksums{}) || !r.OK || r.Records != 2 {
		t.Errorf("%+v, ok %t, %d records", r.Checksums, r.OK, r.Records)
	}
}

// The report is the same in however many parts the journal is read.
func TestWorkers(t *testing.T) {
	s := &state{}
	for i := range 200 {
		s.records = append(s.records, record(int64(16*i), uint64(i/10), format.SumOK, []string{"remark", "odd", "broken"}[:i%4]...))
	}
	want, _ := run(t, verify.Options{}, s)
	for _, n := range []int{1, 2, 3, 7, 200} {
		for _, limit := range []int{0, 1, 50} {
			whole, _ := run(t, verify.Options{Limit: limit}, s)
			r, _ := run(t, verify.Options{Workers: n, Limit: limit}, s)
			if fmt.Sprint(r.Findings, r.Dropped, r.Checksums, r.OK) != fmt.Sprint(whole.Findings, whole.Dropped, whole.Checksums, whole.OK) {
				t.Errorf("%d parts, limit %d: %d findings, %v dropped; want %d, %v", n, limit, len(r.Findings), r.Dropped, len(whole.Findings), whole.Dropped)
			}
			if r.OK != want.OK {
				t.Errorf("%d parts, limit %d: the verdict differs", n, limit)
			}
		}
	}
}

// What the limit drops is counted, and the worst is kept.
func TestLimit(t *testing.T) {
	s := &state{records: []format.Record{record(0, 1, format.SumOK, "remark"), record(16, 1, format.SumOK, "broken", "odd")}}
	r, _ := run(t, verify.Options{Limit: 1}, s)
	if r.OK || len(r.Findings) != 1 || r.Findings[0].Code != "broken" || r.Dropped[format.Note] != 1 || r.Dropped[format.Warning] != 1 {
		t.Errorf("ok %t, %v, dropped %v", r.OK, codes(r), r.Dropped)
	}
}

// A journal that changes is looked at again, and what is gone then was never
// damage.
func TestVolatile(t *testing.T) {
	broken := &state{mark: "1", records: []format.Record{record(0, 1, format.SumBad, "broken")}}
	elsewhere := &state{mark: "2", records: []format.Record{record(16, 1, format.SumBad, "broken")}}
	fine := &state{mark: "3", records: []format.Record{record(0, 1, format.SumOK, "unfinished")}}
	for _, c := range []struct {
		name     string
		opt      verify.Options
		states   []*state
		ok, live bool
		codes    []string
	}{
		{"nobody writes", verify.Options{}, []*state{broken, fine}, false, false, []string{"broken"}},
		{"it is gone at the second look", verify.Options{Volatile: true}, []*state{broken, fine}, true, true, nil},
		{"it is somewhere else each time", verify.Options{Volatile: true}, []*state{broken, elsewhere, fine}, true, true, nil},
		{"it stays, and nothing changes", verify.Options{Volatile: true}, []*state{broken}, false, false, []string{"broken"}},
		{"it stays while others write", verify.Options{Volatile: true, Mounted: true}, []*state{broken}, false, true, []string{"broken"}},
		{"all is well, and an end is unfinished", verify.Options{Volatile: true}, []*state{fine}, true, false, []string{"unfinished"}},
		{"all is well in a mounted one", verify.Options{Volatile: true, Mounted: true}, []*state{fine}, true, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := run(t, c.opt, c.states...)
			if r.OK != c.ok || r.Live != c.live || !slices.Equal(codes(r), c.codes) {
				t.Errorf("ok %t, live %t, %v", r.OK, r.Live, codes(r))
			}
			if c.ok && c.live && r.Info.State != format.InUse {
				t.Errorf("state %s", r.Info.State)
			}
		})
	}
}

// Reading that fails, or is cancelled, is no verdict.
func TestErrors(t *testing.T) {
	broken := errors.New("broken wire")
	for _, workers := range []int{1, 3} {
		s := &state{records: []format.Record{record(0, 1, format.SumOK)}, err: broken}
		_, err := verify.Run(context.Background(), func() (format.Journal, error) { return s, nil }, verify.Options{Workers: workers})
		if !errors.Is(err, broken) {
			t.Errorf("%d workers: %v", workers, err)
		}
	}
	if _, err := verify.Run(context.Background(), func() (format.Journal, error) { return nil, broken }, verify.Options{}); !errors.Is(err, broken) {
		t.Errorf("opening: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := &state{records: []format.Record{record(0, 1, format.SumBad, "broken")}}
	opt := verify.Options{Rules: rules, Volatile: true}
	if _, err := verify.Run(ctx, func() (format.Journal, error) { return s, nil }, opt); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Progress adds up to no more than was read, in steps of 16 MiB.
func TestProgress(t *testing.T) {
	s := &state{}
	for i := range 40 {
		r := record(int64(i)<<20, 1, format.SumOK)
		r.Length = 1 << 20
		s.records = append(s.records, r)
	}
	total := int64(0)
	run(t, verify.Options{Progress: func(n int64) { total += n }}, s)
	if total != 32<<20 {
		t.Errorf("%d bytes", total)
	}
}
