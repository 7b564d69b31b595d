// Package verify checks a journal and reports what is wrong with it.
//
// The checks themselves belong to the formats: a decoder notes a fault beside
// the bytes it is about, and declares for every code a [format.Rule] with its
// severity. Verify makes one pass over the journal, in as many parts at once
// as the format allows, and gathers faults into findings and records into
// counts. The report does not depend on the number of parts.
//
// A journal may be written while it is read. Then a finding counts only if it
// is still there when the journal is opened and read anew: a transaction that
// was overwritten meanwhile is no damage, and an unfinished one at the end is
// the normal state of things.
package verify

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/vexfs/vexctl/internal/format"
)

// Finding is a fault with the severity that its rule gives it.
type Finding struct {
	format.Fault
	Severity format.Severity
}

// Checksums counts records by what their checksum says.
type Checksums struct {
	Verified, Failed, Absent, Unverifiable int
}

// Report is the result of a verification.
type Report struct {
	Info      *format.Info
	Size      int64
	Records   int
	Events    int
	Checksums Checksums
	// Findings are in order of their place in the journal.
	Findings []Finding
	// Dropped counts findings beyond the limit, by severity.
	Dropped map[format.Severity]int
	// Live: the journal was being written while it was read.
	Live bool
	// OK: there is no finding of severity error.
	OK bool

	// base is what the journal says of itself; Info adds what the scan found.
	base     *format.Info
	rules    map[string]format.Rule
	damaged  int      // committed transactions with damage in them
	outlooks []string // of the rules that were broken
}

// Options steer a verification.
type Options struct {
	// Rules gives each fault code its severity.
	Rules []format.Rule
	// Workers is how many parts to check at once; less than 2 means one.
	Workers int
	// Limit is how many findings to keep; 0 means [DefaultLimit].
	Limit int
	// SkipData leaves logged contents unread.
	SkipData bool
	// Volatile: the journal may be changing, so that findings need a second
	// look. Mounted: it is known to be in use.
	Volatile, Mounted bool
	// Progress, when not nil, is called now and then with the bytes checked.
	Progress func(bytes int64)
}

// DefaultLimit bounds the findings kept of a journal that is all rubble.
const DefaultLimit = 1000

// maxWorkers bounds what the parts keep in memory; a disk feeds no more.
const maxWorkers = 8

// looks is how often a changing journal is read again before its findings are
// believed, and pause the time between.
const (
	looks = 5
	pause = 30 * time.Millisecond
)

// Run verifies the journal that open opens. open is called again for each
// further look at a journal that changes.
func Run(ctx context.Context, open func() (format.Journal, error), opt Options) (*Report, error) {
	r, err := once(ctx, open, opt)
	if err != nil || !opt.Volatile {
		return r, err
	}
	live := opt.Mounted
	for look := 1; look < looks && !r.OK; look++ {
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
		again, err := once(ctx, open, opt)
		if err != nil {
			return nil, err
		}
		changed := again.Info.Mark != r.Info.Mark
		live = live || changed
		again.intersect(r)
		r = again
		if !changed && !opt.Mounted {
			break
		}
	}
	if !live {
		if live, err = moved(ctx, open, r.Info.Mark); err != nil {
			return nil, err
		}
	}
	if live {
		r.settle()
	}
	return r, nil
}

// moved says whether the journal has changed since it had that mark.
func moved(ctx context.Context, open func() (format.Journal, error), mark string) (bool, error) {
	j, err := open()
	if err != nil {
		return false, err
	}
	info, err := j.Describe(ctx)
	return err == nil && info.Mark != mark, err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// intersect keeps the findings that were there before as well.
func (r *Report) intersect(before *Report) {
	type key struct {
		code, found string
		offset      int64
		seq         uint64
	}
	seen := map[key]bool{}
	for _, f := range before.Findings {
		seen[key{f.Code, f.Found, f.Offset, f.Seq}] = true
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool {
		return f.Severity == format.Damage && !seen[key{f.Code, f.Found, f.Offset, f.Seq}]
	})
	r.conclude()
}

// settle drops what is normal in a journal that is being written.
func (r *Report) settle() {
	r.Live = true
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool { return r.rules[f.Code].Growing })
	r.conclude()
}

// conclude says what the findings come to. It may be called again when some of
// them turned out to be nothing.
func (r *Report) conclude() {
	info := *r.base
	r.Info = &info
	r.OK = r.Dropped[format.Damage] == 0 &&
		!slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == format.Damage })
	switch {
	case !r.OK:
		info.State = format.Damaged
		if n := min(r.damaged, info.Transactions.Committed); info.Provisional {
			info.Transactions.Committed -= n
			info.Transactions.Damaged += n
		}
		for _, outlook := range r.outlooks {
			info.Outlook = outlook
		}
	case r.Live:
		info.State = format.InUse
		info.Transactions.Damaged = 0
	case info.State == format.Damaged:
		info.State = format.Dirty // what looked like damage was a writer at work
	}
}

// once verifies one state of the journal.
func once(ctx context.Context, open func() (format.Journal, error), opt Options) (*Report, error) {
	j, err := open()
	if err != nil {
		return nil, err
	}
	info, err := j.Describe(ctx)
	if err != nil {
		return nil, err
	}
	t := newTally(opt)
	t.faults(info.Faults)
	for _, f := range info.Faults {
		t.known[place{f.Code, f.JournalOffset}] = true // records repeat some of them
	}
	if err := t.scan(ctx, j); err != nil {
		return nil, err
	}
	return t.report(j, info), nil
}

// tally gathers what a scan, or a part of one, comes across.
type tally struct {
	opt       Options
	limit     int
	rules     map[string]format.Rule
	known     map[place]bool // faults of the journal as a whole
	records   int
	events    int
	checksums Checksums
	findings  []Finding
	dropped   map[format.Severity]int
	// damaged holds committed transactions with an error in them.
	damaged map[uint64]bool
	broken  map[string]bool // codes that were found
	bytes   int64
}

func newTally(opt Options) *tally {
	t := &tally{opt: opt, limit: opt.Limit, rules: map[string]format.Rule{}, known: map[place]bool{},
		dropped: map[format.Severity]int{}, damaged: map[uint64]bool{}, broken: map[string]bool{}}
	if t.limit == 0 {
		t.limit = DefaultLimit
	}
	for _, r := range opt.Rules {
		t.rules[r.Code] = r
	}
	return t
}

// place identifies a fault.
type place struct {
	code   string
	offset int64
}

// scan goes over the journal, in parts where it can be divided.
func (t *tally) scan(ctx context.Context, j format.Journal) error {
	s := format.Scan{Order: format.Physical, LiveOnly: true, Brief: true, SkipData: t.opt.SkipData}
	sp, ok := j.(format.Splitter)
	if !ok || t.opt.Workers < 2 {
		for r, err := range j.Scan(ctx, s) {
			if err != nil {
				return err
			}
			t.record(r)
		}
		return nil
	}
	parts, err := sp.Split(ctx, s, min(t.opt.Workers, maxWorkers))
	if err != nil {
		return err
	}
	tallies := make([]*tally, len(parts))
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, part := range parts {
		tallies[i] = newTally(t.opt)
		tallies[i].known = t.known
		wg.Go(func() {
			for r, err := range part {
				if err != nil {
					errs[i] = err
					return
				}
				tallies[i].record(r)
			}
		})
	}
	wg.Wait()
	for i := range parts {
		if errs[i] != nil {
			return errs[i]
		}
		t.add(tallies[i])
	}
	return nil
}

func (t *tally) record(r *format.Record) {
	if t.opt.Progress != nil {
		if t.bytes += r.Length; t.bytes >= 1<<24 {
			t.opt.Progress(t.bytes)
			t.bytes = 0
		}
	}
	if r.Kind == format.Gap && len(r.Faults) == 0 {
		return
	}
	t.records++
	if r.Kind == format.Event {
		t.events++
	}
	if counts(r) {
		t.sum(r.Sum)
	}
	if len(r.Faults) > 0 {
		t.faults(r.Faults)
		if r.HasTid && r.Zone == format.Live && t.worst(r.Faults) == format.Damage {
			t.damaged[r.Tid] = true
		}
	}
}

// counts: what is left of older laps, or of a transaction that a crash cut
// short, is nobody's loss.
func counts(r *format.Record) bool {
	return r.Zone == format.NoZone || r.Zone == format.Live || r.Zone == format.Torn && len(r.Faults) > 0
}

func (t *tally) sum(s format.Sum) {
	switch s {
	case format.SumOK:
		t.checksums.Verified++
	case format.SumBad:
		t.checksums.Failed++
	case format.SumNone:
		t.checksums.Absent++
	case format.SumUnverifiable:
		t.checksums.Unverifiable++
	}
}

func (t *tally) worst(fs []format.Fault) format.Severity {
	worst := format.Note
	for _, f := range fs {
		worst = max(worst, t.rules[f.Code].Severity)
	}
	return worst
}

func (t *tally) faults(fs []format.Fault) {
	for _, f := range fs {
		if t.known[place{f.Code, f.JournalOffset}] {
			continue
		}
		t.broken[f.Code] = true
		t.findings = append(t.findings, Finding{f.Clone(), t.rules[f.Code].Severity})
	}
	if len(t.findings) >= t.limit+t.limit/4+16 {
		t.trim()
	}
}

// trim keeps as many findings as wanted: the worst, and of those the first.
// Which ones that are does not depend on how the journal was divided.
func (t *tally) trim() {
	slices.SortStableFunc(t.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.JournalOffset, b.JournalOffset))
	})
	if n := len(t.findings); n > t.limit {
		for _, f := range t.findings[t.limit:] {
			t.dropped[f.Severity]++
		}
		clear(t.findings[t.limit:])
		t.findings = t.findings[:t.limit]
	}
}

// add joins the tally of a part.
func (t *tally) add(o *tally) {
	t.records += o.records
	t.events += o.events
	t.checksums.Verified += o.checksums.Verified
	t.checksums.Failed += o.checksums.Failed
	t.checksums.Absent += o.checksums.Absent
	t.checksums.Unverifiable += o.checksums.Unverifiable
	t.findings = append(t.findings, o.findings...)
	t.trim()
	for s, n := range o.dropped {
		t.dropped[s] += n
	}
	for tid := range o.damaged {
		t.damaged[tid] = true
	}
	for code := range o.broken {
		t.broken[code] = true
	}
}

func (t *tally) report(j format.Journal, info *format.Info) *Report {
	t.trim()
	slices.SortStableFunc(t.findings, func(a, b Finding) int { return cmp.Compare(a.JournalOffset, b.JournalOffset) })
	r := &Report{Size: j.Source().Size(), Records: t.records, Events: t.events, Checksums: t.checksums,
		Findings: t.findings, Dropped: t.dropped, base: info, rules: t.rules, damaged: len(t.damaged)}
	for _, rule := range t.opt.Rules {
		if t.broken[rule.Code] && rule.Outlook != "" {
			r.outlooks = append(r.outlooks, rule.Outlook)
		}
	}
	r.conclude()
	return r
}
