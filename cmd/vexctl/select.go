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

func contains(list []string, s string) bool { return slices.Contains(list, s) }

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
	for _, t := range s.tx {
		if _, err := strconv.ParseInt(t, 10, 64); err != nil {
			return "", fmt.Errorf("--tx %q is no transaction number", t)
		}
	}
	if len(s.tx) == 0 {
		return "", nil
	}
	return "tid in [" + strings.Join(s.tx, ", ") + "]", nil
}

func (s *selection) pidExpr() (string, error) {
	if len(s.pids) == 0 {
		return "", nil
	}
	var list []string
	for _, p := range s.pids {
		list = append(list, strconv.Itoa(p))
	}
	return "pid in [" + strings.Join(list, ", ") + "]", nil
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
	if age, ok := strings.CutPrefix(s, "-"); ok {
		if d, err := time.ParseDuration(age); err == nil {
			return now.Add(-d), nil
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

// boundsExpr is the filter for --since and --until. A record without a time
// has that of its transaction's commit.
func boundsExpr(ctx context.Context, j format.Journal, since, until string) (string, error) {
	var exprs []string
	var from, to *bound
	for _, x := range []struct {
		flag, text, op string
		keep           **bound
	}{{"--since", since, ">=", &from}, {"--until", until, "<=", &to}} {
		if x.text == "" {
			continue
		}
		b, err := parseBound(x.text, time.Now())
		if err != nil {
			return "", fmt.Errorf("%s: %w", x.flag, err)
		}
		if b.name == "time" {
			*x.keep = &b
			continue
		}
		exprs = append(exprs, fmt.Sprintf("%s %s %d", b.name, x.op, b.number))
	}
	if from == nil && to == nil {
		return filter.And(exprs...), nil
	}
	times, err := timesExpr(ctx, j, from, to)
	return filter.And(append(exprs, times)...), err
}

// timesExpr selects records by their own time or, for those of a transaction,
// by the time of its commit.
func timesExpr(ctx context.Context, j format.Journal, from, to *bound) (string, error) {
	inside := func(ns int64) bool {
		t := time.Unix(0, ns)
		return (from == nil || !t.Before(from.at)) && (to == nil || !t.After(to.at))
	}
	var tids []uint64
	for r, err := range j.Scan(ctx, format.Scan{Brief: true, SkipData: true}) {
		if err != nil {
			return "", err
		}
		if r.Kind == format.Commit && r.HasTime && r.HasTid && inside(r.Time) {
			tids = append(tids, r.Tid)
		}
	}
	own := []string{`time > timestamp("1970-01-01T00:00:00Z")`}
	if from != nil {
		own = append(own, "time >= timestamp("+filter.Quote(from.at.UTC().Format(time.RFC3339Nano))+")")
	}
	if to != nil {
		own = append(own, "time <= timestamp("+filter.Quote(to.at.UTC().Format(time.RFC3339Nano))+")")
	}
	expr := "(" + strings.Join(own, " && ") + ")"
	for _, r := range ranges(tids) {
		expr += fmt.Sprintf(" || (tid >= %d && tid <= %d)", r[0], r[1])
	}
	return expr, nil
}

// ranges compresses numbers into runs of consecutive ones.
func ranges(list []uint64) [][2]uint64 {
	slices.Sort(list)
	var out [][2]uint64
	for _, v := range list {
		if n := len(out); n > 0 && v <= out[n-1][1]+1 {
			out[n-1][1] = v
			continue
		}
		out = append(out, [2]uint64{v, v})
	}
	return out
}
