package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vexfs/vexctl/internal/event"
	"github.com/vexfs/vexctl/internal/filter"
	"github.com/vexfs/vexctl/internal/format"
)

func (s *selection) typeExpr() (string, error) {
	var alternatives []string
	for _, t := range s.types {
		if family, ok := strings.CutSuffix(t, ".*"); ok {
			if !slices.ContainsFunc(event.Families(), func(f event.Family) bool { return f.Name == family }) {
				return "", fmt.Errorf("there is no event family %q; vexctl types lists them", family)
			}
			alternatives = append(alternatives, "type.startsWith("+filter.Quote(family+".")+")")
			continue
		}
		code, err := event.ParseType(t)
		if err != nil {
			return "", fmt.Errorf("%w; vexctl types lists them", err)
		}
		alternatives = append(alternatives, fmt.Sprintf("code == %d", uint32(code)))
	}
	return strings.Join(alternatives, " || "), nil
}

func (s *selection) pathExpr() (string, error) {
	var alternatives []string
	for _, p := range s.paths {
		p = strings.TrimSuffix(p, "/")
		alternatives = append(alternatives, "path == "+filter.Quote(p), "path.startsWith("+filter.Quote(p+"/")+")")
	}
	return strings.Join(alternatives, " || "), nil
}

func (s *selection) txExpr() (string, error) {
	if len(s.tx) == 0 {
		return "", nil
	}
	var list []string
	for _, t := range s.tx {
		v, err := strconv.ParseUint(t, 10, 63)
		if err != nil {
			return "", fmt.Errorf("--tx %q is no transaction number", t)
		}
		list = append(list, strconv.FormatUint(v, 10))
	}
	return "has_tid && tid in [" + strings.Join(list, ", ") + "]", nil
}

func (s *selection) pidExpr() (string, error) {
	if len(s.pids) == 0 {
		return "", nil
	}
	var list []string
	for _, p := range s.pids {
		list = append(list, strconv.Itoa(p))
	}
	return "is_event && pid in [" + strings.Join(list, ", ") + "]", nil
}

// bound is one end of --since or --until.
type bound struct {
	name   string // seq, tid or time
	number uint64
	at     time.Time
}

// parseBound reads a time, an age (-10m), seq:N or tx:N. A time without a zone
// is local.
func parseBound(s string, now time.Time) (bound, error) {
	for prefix, name := range map[string]string{"seq:": "seq", "tx:": "tid"} {
		if n, ok := strings.CutPrefix(s, prefix); ok {
			v, err := strconv.ParseUint(n, 10, 63)
			if err != nil {
				return bound{}, fmt.Errorf("%q is no number", n)
			}
			return bound{name: name, number: v}, nil
		}
	}
	at, err := parseTime(s, now)
	return bound{name: "time", at: at}, err
}

func parseTime(s string, now time.Time) (time.Time, error) {
	if s == "now" {
		return now, nil
	}
	if age, ok := strings.CutPrefix(s, "-"); ok {
		if d, err := time.ParseDuration(age); err == nil {
			return now.Add(-d), nil
		}
		for unit, days := range map[string]int{"d": 1, "w": 7} {
			if n, err := strconv.ParseUint(strings.TrimSuffix(age, unit), 10, 16); err == nil && strings.HasSuffix(age, unit) {
				return now.AddDate(0, 0, -days*int(n)), nil
			}
		}
	}
	day := now.Format(time.DateOnly)
	for word, days := range map[string]int{"today": 0, "yesterday": -1} {
		if rest, ok := strings.CutPrefix(s, word); ok {
			day, s = now.AddDate(0, 0, days).Format(time.DateOnly), strings.TrimSpace(rest)
			if s == "" {
				s = "00:00"
			}
		}
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"15:04:05.999999999", "15:04"} {
		if t, err := time.ParseInLocation(time.DateOnly+" "+layout, day+" "+s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write 2026-03-01T14:32:07Z, 14:32:07, -10m, seq:N or tx:N", s)
}

// selector is what --since, --until and the filter flags let through.
type selector struct {
	filter      *filter.Filter
	from, until *bound
	after       func(a, b uint64) bool
	// tids are the transactions whose commit lies between the times: a record
	// without a time has that of its transaction's commit.
	tids map[uint64]bool
}

// bounds reads --since and --until.
func (s *selection) bounds(now time.Time) (from, until *bound, err error) {
	for _, x := range []struct {
		flag, text string
		keep       **bound
	}{{"--since", s.since, &from}, {"--until", s.until, &until}} {
		if x.text == "" {
			continue
		}
		b, err := parseBound(x.text, now)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", x.flag, err)
		}
		*x.keep = &b
	}
	return from, until, nil
}

// prepare looks up which transactions lie between the times, where times were
// given. It is done anew when a followed journal has grown.
func (s *selector) prepare(ctx context.Context, j format.Journal) error {
	if !s.timed() {
		return nil
	}
	s.tids = map[uint64]bool{}
	for r, err := range j.Scan(ctx, format.Scan{Brief: true, SkipData: true}) {
		if err != nil {
			return err
		}
		if r.Kind == format.Commit && r.HasTime && r.HasTid && s.within(r.Time) {
			s.tids[r.Tid] = true
		}
	}
	return nil
}

func (s *selector) timed() bool {
	return s.from != nil && s.from.name == "time" || s.until != nil && s.until.name == "time"
}

// within compares a time with the bounds that are times.
func (s *selector) within(ns int64) bool {
	t := time.Unix(0, ns)
	if s.from != nil && s.from.name == "time" && t.Before(s.from.at) {
		return false
	}
	return s.until == nil || s.until.name != "time" || !t.After(s.until.at)
}

// Match says whether a record passes.
func (s *selector) Match(r *format.Record) bool {
	if s.from != nil && !s.reaches(s.from, r, false) || s.until != nil && !s.reaches(s.until, r, true) {
		return false
	}
	if s.timed() && !s.inTime(r) {
		return false
	}
	return s.filter.Match(r)
}

func (s *selector) inTime(r *format.Record) bool {
	switch {
	case r.HasTime:
		return s.within(r.Time)
	case r.Event != nil && r.Event.HasTime:
		return s.within(r.Event.Time)
	}
	return r.HasTid && s.tids[r.Tid]
}

// reaches says whether a record is at or after a bound that is a number, or for
// upper at or before it. A record without that number is neither.
func (s *selector) reaches(b *bound, r *format.Record, upper bool) bool {
	v, has := r.Seq, r.HasSeq
	switch b.name {
	case "time":
		return true
	case "tid":
		v, has = r.Tid, r.HasTid
	}
	if upper {
		return has && !s.after(v, b.number)
	}
	return has && !s.after(b.number, v)
}
