package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/render"
)

// group counts the records of one sort.
type group struct {
	name                string
	records, bytes      uint64
	timed               uint64 // records that say when
	firstTime, lastTime int64
	bad                 uint64
}

func (g *group) add(r *format.Record, at int64, timed bool) {
	g.records++
	g.bytes += uint64(r.Length)
	if r.Sum == format.SumBad {
		g.bad++
	}
	if timed {
		g.timed++
		if g.timed == 1 {
			g.firstTime, g.lastTime = at, at
		}
		g.firstTime, g.lastTime = min(g.firstTime, at), max(g.lastTime, at)
	}
}

// summary gathers the statistics of a scan.
type summary struct {
	groups map[string]*group
	perMin map[int64]uint64 // records by minute since 1970
	total  group
	// unplaced counts records in minutes beyond those that are kept.
	unplaced uint64
}

// sortOf is what a record is counted under: its kind, and what it is in the
// terms of its format.
func sortOf(r *format.Record) string {
	switch {
	case r.Event != nil:
		return r.Event.Type.String()
	case r.Kind == format.Data:
		if t := r.Fields.Text("block_type"); t != "" {
			return "data " + t
		}
	case r.Kind == format.FastCommit:
		return "fast-commit " + r.Fields.Text("tag")
	}
	return r.Kind.String()
}

func (s *summary) add(r *format.Record) {
	name := sortOf(r)
	if r.Zone != format.NoZone && r.Zone != format.Live {
		name += " (" + r.Zone.String() + ")"
	}
	g := s.groups[name]
	if g == nil {
		g = &group{name: name}
		s.groups[name] = g
	}
	at, timed := r.Time, r.HasTime
	if !timed && r.Event != nil && r.Event.HasTime {
		at, timed = r.Event.Time, true
	}
	g.add(r, at, timed)
	s.total.add(r, at, timed)
	if timed {
		s.minute(at / int64(time.Minute))
	}
}

// maxMinutes bounds the histogram, at some 45 days of minutes with records.
const maxMinutes = 1 << 16

func (s *summary) minute(m int64) {
	if _, ok := s.perMin[m]; !ok && len(s.perMin) == maxMinutes {
		s.unplaced++
		return
	}
	s.perMin[m]++
}

// stats prints counts, sizes and rates. What was counted when the user
// interrupts is printed all the same.
func (d *decoder) stats(ctx context.Context, path string) error {
	s := &summary{groups: map[string]*group{}, perMin: map[int64]uint64{}}
	start := time.Now()
	var scanErr error
	for r, err := range d.o.journal.Scan(ctx, d.scan()) {
		if err != nil {
			scanErr = err
			break
		}
		for _, f := range r.Faults {
			d.damaged = d.damaged || d.o.format.Severity(f.Code) == format.Damage
		}
		if d.match.Match(r) {
			s.add(r)
		}
	}
	if scanErr != nil && !errors.Is(scanErr, context.Canceled) {
		return scanErr
	}
	if err := d.printStats(path, s, time.Since(start)); err != nil {
		return err
	}
	return scanErr
}

func (s *summary) sorted() []*group {
	var list []*group
	for _, g := range s.groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.records, a.records), cmp.Compare(a.name, b.name))
	})
	return list
}

// rate is records per second, of those that say when, or 0.
func (g *group) rate() float64 {
	span := time.Duration(g.lastTime - g.firstTime).Seconds()
	if span <= 0 {
		return 0
	}
	return float64(g.timed) / span
}

func (g *group) fields() format.Fields {
	var f format.Fields
	f.Str("name", 0, 0, g.name)
	f.Uint("records", 0, 0, g.records)
	f.Uint("bytes", 0, 0, g.bytes)
	f.Uint("bad_checksums", 0, 0, g.bad)
	if g.timed > 0 {
		f.Time("first_time", 0, 0, g.firstTime)
		f.Time("last_time", 0, 0, g.lastTime)
	}
	return f
}

func (d *decoder) printStats(path string, s *summary, elapsed time.Duration) error {
	s.total.name = "total"
	var list []format.Fields
	var rows [][]string
	for _, g := range append(s.sorted(), &s.total) {
		list = append(list, g.fields())
		row := []string{g.name, fmt.Sprint(g.records), render.Bytes(int64(g.bytes)), fmt.Sprint(g.bad), "", ""}
		if g.timed > 0 {
			row[4] = clock(g.firstTime)
		}
		if r := g.rate(); r > 0 {
			row[5] = fmt.Sprintf("%.1f/s", r)
		}
		rows = append(rows, row)
	}
	if d.v.kind != "json" {
		return d.a.list(d.v.kind, "stats", "groups", list, []string{"what", "records", "size", "bad sums", "first", "rate"}, rows)
	}
	var top format.Fields
	top.Uint("schema", 0, 0, render.Schema)
	top.Str("type", 0, 0, "stats")
	top.Str("journal", 0, 0, path)
	top.Objects("groups", 0, 0, list[:len(list)-1])
	top.Nested("total", 0, 0, list[len(list)-1])
	top.Objects("minutes", 0, 0, s.minutes())
	if s.unplaced > 0 {
		top.Uint("records_in_other_minutes", 0, 0, s.unplaced)
	}
	top.Int("elapsed_ms", 0, 0, elapsed.Milliseconds())
	return writeLine(d.a.out, render.Fields(nil, top))
}

// minutes lists how many timed records fall into each minute.
func (s *summary) minutes() []format.Fields {
	var keys []int64
	for m := range s.perMin {
		keys = append(keys, m)
	}
	slices.Sort(keys)
	var out []format.Fields
	for _, m := range keys {
		var f format.Fields
		f.Time("minute", 0, 0, m*int64(time.Minute))
		f.Uint("records", 0, 0, s.perMin[m])
		out = append(out, f)
	}
	return out
}
