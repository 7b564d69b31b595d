package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/all"
	"github.com/vexfs/vexctl/internal/render"
	"github.com/vexfs/vexctl/internal/verify"
)

type verifyFlags struct {
	where
	output
	workers  int
	limit    int
	skipData bool
	rules    bool
	quiet    bool
}

func newVerify(a *app) *cobra.Command {
	v := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify [JOURNAL...]",
		Short: "Check everything in a journal that can be checked",
		Long: `Check a journal: its place, its superblock, every checksum of the live log, the
order of its records, and what lies beyond the end of the log.

Findings have a severity. An error is damage, and the exit code is then 1. A
warning is suspicious but explained, such as the unfinished transaction that a
crash leaves behind. A note is worth knowing. --list-rules lists them all.

A journal that is being written is read again until a finding is certain;
nothing that a writer explains is reported.`,
		Example: `  vexctl verify disk.img
  vexctl verify -o json /dev/sdb1
  vexctl verify --journal-device journal.img disk.img
  vexctl verify --list-rules`,
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), a, args) },
	}
	v.where.flags(cmd)
	v.output.flags(cmd, "table", "json", "ndjson", "csv")
	f := cmd.Flags()
	f.IntVar(&v.workers, "workers", runtime.GOMAXPROCS(0), "how many parts of the log to check at once")
	f.IntVar(&v.limit, "max-findings", verify.DefaultLimit, "how many findings to keep; the rest is counted")
	f.BoolVar(&v.skipData, "no-data-checksums", false, "leave logged contents unread: faster, and blind to damage in them")
	f.BoolVar(&v.rules, "list-rules", false, "list the findings there are, with their severity")
	f.BoolVarP(&v.quiet, "quiet", "q", false, "print nothing but errors; the exit code says it all")
	return cmd
}

func (v *verifyFlags) run(ctx context.Context, a *app, args []string) error {
	if v.rules {
		return listRules(a, v.kind)
	}
	if v.limit < 1 {
		return fmt.Errorf("--max-findings %d: at least 1", v.limit)
	}
	args, err := journalArgs(args)
	if err != nil {
		return err
	}
	var results []verified
	var failed error
	for _, path := range args {
		r, err := v.one(ctx, path)
		if err != nil {
			if len(args) == 1 || ctx.Err() != nil {
				return err
			}
			exitCode(ctx, err, a.err) // say so, and go on with the others
			failed = errors.Join(failed, err)
			continue
		}
		results = append(results, r)
	}
	if !v.quiet {
		if err := v.print(a, results, len(args) > 1); err != nil {
			return err
		}
	}
	if failed != nil {
		return fmt.Errorf("%d of %d journals could not be verified", len(args)-len(results), len(args))
	}
	for _, r := range results {
		if !r.OK {
			return errDamage
		}
	}
	return nil
}

// verified is the report on one journal.
type verified struct {
	*verify.Report
	path    string
	elapsed time.Duration
}

func (v *verifyFlags) one(ctx context.Context, path string) (verified, error) {
	start := time.Now()
	o, err := v.open(ctx, path)
	if err != nil {
		return verified{}, err
	}
	defer func() { o.close() }()
	again := func() (format.Journal, error) {
		j := o.journal
		o.journal = nil
		if j != nil {
			return j, nil
		}
		fresh, err := v.open(ctx, path)
		if err != nil {
			return nil, err
		}
		o.close()
		o = fresh
		j, o.journal = o.journal, nil
		return j, nil
	}
	opt := verify.Options{Rules: o.format.Rules, Workers: v.workers, Limit: v.limit, SkipData: v.skipData}
	opt.Volatile, opt.Mounted = o.volatile()
	r, err := verify.Run(ctx, again, opt)
	return verified{r, path, time.Since(start)}, err
}

func (v *verifyFlags) print(a *app, results []verified, many bool) error {
	switch v.kind {
	case "json":
		if !many {
			return writeLine(a.out, results[0].appendJSON(nil))
		}
		b := []byte{'['}
		for i, r := range results {
			if i > 0 {
				b = append(b, ',')
			}
			b = r.appendJSON(b)
		}
		return writeLine(a.out, append(b, ']'))
	case "ndjson":
		for _, r := range results {
			if err := writeLine(a.out, r.appendJSON(nil)); err != nil {
				return err
			}
		}
		return nil
	case "csv":
		return findingsCSV(a.out, results)
	}
	for i, r := range results {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		if err := r.print(a.out); err != nil {
			return err
		}
	}
	return nil
}

func writeLine(w io.Writer, b []byte) error {
	_, err := w.Write(append(b, '\n'))
	return err
}

// appendJSON appends the report in the form that scripts rely on.
func (r verified) appendJSON(b []byte) []byte {
	in := r.Info
	b = append(b, `{"schema":1,"type":"verify",`...)
	b = render.Member(b, "journal", r.path)
	b = append(b, `,"format":`...)
	b = render.String(b, in.Format)
	b = append(b, `,"variant":`...)
	b = render.Strings(b, in.Variant)
	if in.Place != "" {
		b = append(b, `,"place":`...)
		b = render.String(b, in.Place)
	}
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, r.Size, 10)
	b = append(b, `,"state":"`...)
	b = append(b, in.State.String()...)
	b = append(b, '"')
	b = seqRange(b, in)
	b = fmt.Appendf(b, `,"transactions":{"committed":%d,"uncommitted":%d,"damaged":%d,"unreachable":%d}`,
		in.Transactions.Committed, in.Transactions.Uncommitted, in.Transactions.Damaged, in.Transactions.Unreachable)
	b = fmt.Appendf(b, `,"records":%d,"events":%d,"checksums":{"verified":%d,"failed":%d,"absent":%d,"unverifiable":%d}`,
		r.Records, r.Events, r.Checksums.Verified, r.Checksums.Failed, r.Checksums.Absent, r.Checksums.Unverifiable)
	b = append(b, `,"findings":[`...)
	for i := range r.Findings {
		if i > 0 {
			b = append(b, ',')
		}
		b = render.Fault(b, &r.Findings[i].Fault, r.Findings[i].Severity.String())
	}
	b = append(b, ']')
	if n := r.dropped(); n > 0 {
		b = fmt.Appendf(b, `,"findings_dropped":%d`, n)
	}
	if in.Outlook != "" {
		b = append(b, `,"outlook":`...)
		b = render.String(b, in.Outlook)
	}
	return fmt.Appendf(b, `,"ok":%t,"elapsed_ms":%d}`, r.OK, r.elapsed.Milliseconds())
}

func seqRange(b []byte, in *format.Info) []byte {
	if !in.HasSeq {
		return append(b, `,"first_seq":null,"last_seq":null`...)
	}
	return fmt.Appendf(b, `,"first_seq":%d,"last_seq":%d`, in.FirstSeq, in.LastSeq)
}

func (r verified) dropped() int {
	n := 0
	for _, x := range r.Dropped {
		n += x
	}
	return n
}

// print writes the report for people.
func (r verified) print(w io.Writer) error {
	on, width := colour(w), terminalWidth(w)
	in := r.Info
	line := func(name, text string) {
		fmt.Fprintln(w, wrap(fmt.Sprintf("  %-14s", name), text, width))
	}
	fmt.Fprintln(w, wrap("", render.Plain(r.path)+": "+headline(in, r.Size), width))
	line("state", render.Plain(stateLine(in)))
	if r.Events > 0 {
		line("events", fmt.Sprint(r.Events))
	}
	if r.Events == 0 || in.Transactions != (format.Transactions{}) {
		line("transactions", transactionLine(in))
	}
	if in.HasTime {
		line("time", span(in.FirstTime, in.LastTime))
	}
	line("checked", r.checkedLine())
	if len(r.Findings) > 0 {
		fmt.Fprintln(w)
	}
	for _, f := range r.Findings {
		printFinding(w, on, width, f)
	}
	if n := r.dropped(); n > 0 {
		fmt.Fprintf(w, "  … and %d more findings; --max-findings shows more\n", n)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.verdict(on))
	return err
}

func headline(in *format.Info, size int64) string {
	s := in.Format
	if len(in.Variant) > 0 {
		s += " (" + strings.Join(in.Variant, ", ") + ")"
	}
	s += ", " + render.Bytes(size)
	if in.Place != "" {
		s += ", " + render.Plain(in.Place)
	}
	return s
}

func stateLine(in *format.Info) string {
	if in.Outlook == "" {
		return in.State.String()
	}
	return in.State.String() + "; " + in.Outlook
}

func transactionLine(in *format.Info) string {
	t := in.Transactions
	s := fmt.Sprintf("%d committed", t.Committed)
	if in.HasSeq {
		s = fmt.Sprintf("%d to %d: ", in.FirstSeq, in.LastSeq) + s
	}
	if t.Uncommitted > 0 {
		s += fmt.Sprintf(", %d unfinished", t.Uncommitted)
	}
	if t.Damaged > 0 {
		s += fmt.Sprintf(", %d damaged", t.Damaged)
	}
	if t.Unreachable > 0 {
		s += fmt.Sprintf(", %d unreachable", t.Unreachable)
	}
	return s
}

// span shows the time from first to last, which is one moment to the second
// more often than not.
func span(first, last int64) string {
	if a, b := clock(first), clock(last); a != b {
		return a + " to " + b
	}
	return clock(first)
}

func clock(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05 UTC") }

func (r verified) checkedLine() string {
	s := fmt.Sprintf("%d records, %d checksums right, %d wrong", r.Records, r.Checksums.Verified, r.Checksums.Failed)
	if n := r.Checksums.Absent; n > 0 {
		s += fmt.Sprintf(", %d absent", n)
	}
	if n := r.Checksums.Unverifiable; n > 0 {
		s += fmt.Sprintf(", %d not looked at", n)
	}
	return s
}

func printFinding(w io.Writer, on bool, width int, f verify.Finding) {
	head := f.Code
	if f.Offset >= 0 {
		head += fmt.Sprintf(" at offset %d", f.Offset)
	}
	if f.HasSeq {
		head += fmt.Sprintf(", sequence %d", f.Seq)
	}
	fmt.Fprintf(w, "  %s  %s\n", paint(on, severityColour(f.Severity), fmt.Sprintf("%-7s", f.Severity)), head)
	const indent = "           "
	fmt.Fprintln(w, wrap(indent, render.Plain(f.Message), width))
	if f.Found != "" {
		fmt.Fprintln(w, wrap(indent, fmt.Sprintf("found %s, expected %s", f.Found, f.Want), width))
	}
	if len(f.Fields) > 0 {
		fmt.Fprintln(w, wrap(indent, render.Line(f.Fields), width))
	}
}

func severityColour(s format.Severity) string {
	switch s {
	case format.Damage:
		return red
	case format.Warning:
		return yellow
	}
	return faint
}

func (r verified) verdict(on bool) string {
	errs, warnings := 0, 0
	for _, f := range r.Findings {
		switch f.Severity {
		case format.Damage:
			errs++
		case format.Warning:
			warnings++
		}
	}
	errs += r.Dropped[format.Damage]
	warnings += r.Dropped[format.Warning]
	live := ""
	if r.Live {
		live = ", as far as it was written when this began"
		if r.Info.HasSeq {
			live = fmt.Sprintf(", through sequence %d; it is being written", r.Info.LastSeq)
		}
	}
	if r.OK {
		return paint(on, green, "OK") + live + ", " + plural(warnings, "warning")
	}
	return paint(on, red, "DAMAGED") + live + ": " + plural(errs, "error") + ", " + plural(warnings, "warning")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func findingsCSV(out io.Writer, results []verified) error {
	w := csv.NewWriter(out)
	w.Write([]string{"journal", "severity", "code", "offset", "journal_offset", "length", "seq", "tid", "found", "expected", "flipped_offset", "flipped_bit", "message"})
	for _, r := range results {
		for _, f := range r.Findings {
			row := []string{strings.ToValidUTF8(r.path, "\uFFFD"), f.Severity.String(), f.Code, fmt.Sprint(f.Offset), fmt.Sprint(f.JournalOffset), fmt.Sprint(f.Length),
				optional(f.HasSeq, f.Seq), optional(f.HasTid, f.Tid), f.Found, f.Want, "", "", f.Message}
			if f.FlipOffset >= 0 {
				row[10], row[11] = fmt.Sprint(f.FlipOffset), fmt.Sprint(f.FlipBit)
			}
			w.Write(row)
		}
	}
	w.Flush()
	return w.Error()
}

func optional(has bool, v uint64) string {
	if !has {
		return ""
	}
	return strconv.FormatUint(v, 10)
}

func listRules(a *app, kind string) error {
	var list []format.Fields
	var rows [][]string
	for _, r := range all.Rules() {
		rows = append(rows, []string{r.Code, r.Severity.String(), r.Doc})
		var f format.Fields
		f.Str("code", 0, 0, r.Code)
		f.Str("severity", 0, 0, r.Severity.String())
		f.Str("description", 0, 0, r.Doc)
		list = append(list, f)
	}
	return a.list(kind, "rules", "rules", list, []string{"code", "severity", "meaning"}, rows)
}
