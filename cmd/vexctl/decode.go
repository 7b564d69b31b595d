package main

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vexfs/vexctl/internal/filter"
	"github.com/vexfs/vexctl/internal/format"
)

type decodeFlags struct {
	where
	output
	sel       selection
	limit     int
	follow    bool
	hex       bool
	stats     bool
	order     string
	skipData  bool
	noExplain bool
	workers   int
}

func newDecode(a *app) *cobra.Command {
	v := &decodeFlags{}
	cmd := &cobra.Command{
		Use:   "decode [JOURNAL]",
		Short: "Print every record of a journal",
		Long: `Print every record, in log order: the live log from its tail to its end, and
then what is left of older laps. Each record says which zone it is from: live,
torn, checkpointed, stale or beyond.

The filter flags narrow the list; all given must hold. --where takes an
expression in CEL, for instance
  --where 'kind == "data" && fields.block_type == "directory"'
  --where 'type == "fs.write" && path.startsWith("src/") && !(pid == 4711)'
Names are a record's values (offset, length, kind, zone, seq, tid, block,
checksum, fault, time), fields.NAME for what the format decodes, and for events
their own (type, path, name, inode, pid, process, uid, gid, errno, agent, tx).`,
		Example: `  vexctl decode disk.img
  vexctl decode -o ndjson disk.img
  vexctl decode --kind commit --limit 5 disk.img
  vexctl decode --where 'fields.block_type == "inode-table"' disk.img
  vexctl decode --stats disk.img`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), a, args) },
	}
	v.where.flags(cmd)
	v.output.flags(cmd, "table", "json", "ndjson", "csv")
	v.sel.flags(cmd)
	f := cmd.Flags()
	f.IntVar(&v.limit, "limit", 0, "stop after this many records (0: no limit)")
	f.BoolVar(&v.follow, "follow", false, "wait for more records and print them as they come")
	f.BoolVar(&v.hex, "hex", false, "show each record's bytes as well")
	f.BoolVar(&v.stats, "stats", false, "print counts, sizes and rates by kind and type instead of records")
	f.StringVar(&v.order, "order", "log", "order of the records: log or physical")
	f.BoolVar(&v.skipData, "no-data-checksums", false, "leave logged contents unread: faster, and blind to damage in them")
	f.BoolVar(&v.noExplain, "no-explain", false, "do not say what logged blocks are to the filesystem")
	f.IntVar(&v.workers, "workers", runtime.GOMAXPROCS(0), "how many parts of the log to decode at once")
	must(cmd.RegisterFlagCompletionFunc("order", cobra.FixedCompletions([]string{"log", "physical"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func (v *decodeFlags) check() error {
	if v.order != "log" && v.order != "physical" {
		return fmt.Errorf("there is no order %q; there are log and physical", v.order)
	}
	if v.hex && v.kind != "table" {
		return fmt.Errorf("--hex goes with -o table only")
	}
	if v.limit < 0 {
		return fmt.Errorf("--limit %d: at least 0", v.limit)
	}
	if v.follow && v.kind == "json" {
		return fmt.Errorf("--follow has no end, which -o json needs; use -o ndjson")
	}
	if v.follow && v.stats {
		return fmt.Errorf("--stats sums up a journal, --follow has no end: choose one")
	}
	return nil
}

func (v *decodeFlags) run(ctx context.Context, a *app, args []string) error {
	if err := v.check(); err != nil {
		return err
	}
	args, err := journalArgs(args)
	if err != nil {
		return err
	}
	o, err := v.open(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { o.close() }()
	match, err := v.sel.compile(ctx, o.journal)
	if err != nil {
		return err
	}
	in, err := o.journal.Describe(ctx)
	if err != nil {
		return err
	}
	d := &decoder{v: v, a: a, o: o, match: match, damaged: in.State == format.Damaged}
	if v.stats {
		return d.stats(ctx, args[0])
	}
	if v.follow {
		return d.follow(ctx, args[0])
	}
	if err := d.print(ctx); err != nil {
		return err
	}
	for _, f := range in.Faults {
		if s := o.severity(f.Code); s >= format.Warning {
			fmt.Fprintf(a.err, "vexctl: %s: %s: %s\n", s, f.Code, f.Message)
		}
	}
	if d.damaged {
		fmt.Fprintln(a.err, "vexctl: the journal is damaged; verify says how")
		return errDamage
	}
	return nil
}

// decoder prints the records of one journal.
type decoder struct {
	v       *decodeFlags
	a       *app
	o       *opened
	match   *filter.Filter
	damaged bool
}

func (d *decoder) scan() format.Scan {
	s := format.Scan{SkipData: d.v.skipData && !d.v.hex, Explain: !d.v.noExplain}
	if d.v.order == "physical" {
		s.Order = format.Physical
	}
	return s
}

// print prints all records, or as many as the limit allows.
func (d *decoder) print(ctx context.Context) error {
	w := newWriter(d.v.kind, d.a.out, d.v.hex)
	parts, err := d.parts(ctx)
	if err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	p := &pipeline{workers: d.v.workers, parts: parts, format: func(b []byte, r *format.Record) []byte {
		return w.record(b, r)
	}, match: d.match, severity: d.o.severity}
	if d.v.limit > 0 {
		err = p.sequential(ctx, w, d.v.limit)
	} else {
		err = p.run(ctx, w)
	}
	d.damaged = d.damaged || p.damaged.Load()
	if err != nil {
		return err
	}
	return w.end()
}

// partBlocks is about how many bytes of log a part is made of: little enough
// that its text, waiting for its turn, does not take much memory.
const partBytes = 4 << 20

// parts divides the scan, where the format and the machine allow it.
func (d *decoder) parts(ctx context.Context) ([]iter.Seq2[*format.Record, error], error) {
	s := d.scan()
	sp, ok := d.o.journal.(format.Splitter)
	if !ok || d.v.workers < 2 || d.v.limit > 0 {
		return []iter.Seq2[*format.Record, error]{d.o.journal.Scan(ctx, s)}, nil
	}
	n := int(d.o.journal.Source().Size()/partBytes) + 1
	return sp.Split(ctx, s, min(n, 1024))
}

// followPause is how often a followed journal is looked at.
const followPause = 200 * time.Millisecond

// follow prints what is there, and then what comes.
func (d *decoder) follow(ctx context.Context, path string) error {
	w := newWriter(d.v.kind, d.a.out, d.v.hex)
	if err := w.begin(); err != nil {
		return err
	}
	printed, mark := 0, ""
	last, any := uint64(0), false
	for {
		in, err := d.o.journal.Describe(ctx)
		if err != nil {
			return err
		}
		if in.Mark != mark {
			s := d.scan()
			s.LiveOnly = true
			top := last
			for r, err := range d.o.journal.Scan(ctx, s) {
				if err != nil {
					return err
				}
				if any && (!r.HasSeq || !newer(r.Seq, last, d.o.format.Name)) || r.Zone == format.Torn || !d.match.Match(r) {
					continue
				}
				if r.HasSeq && (top == 0 || newer(r.Seq, top, d.o.format.Name)) {
					top = r.Seq
				}
				if err := writeAll(w, w.record(nil, r)); err != nil {
					return err
				}
				if printed++; printed == d.v.limit {
					return nil
				}
			}
			last, any, mark = top, true, in.Mark
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(followPause):
		}
		fresh, err := d.v.open(ctx, path)
		if err != nil {
			return err
		}
		d.o.close()
		*d.o = *fresh
	}
}

// newer compares sequences; those of jbd2 have 32 bits and wrap.
func newer(a, b uint64, name string) bool {
	if name == "jbd2" {
		return int32(uint32(a)-uint32(b)) > 0
	}
	return a > b
}

// selection is what the filter flags select.
type selection struct {
	where, since, until            string
	kinds, zones, types, paths, tx []string
	pids                           []int
}

func (s *selection) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.where, "where", "", "only records for which this CEL expression holds")
	f.StringSliceVar(&s.kinds, "kind", nil, "only records of these kinds")
	f.StringSliceVar(&s.zones, "zone", nil, "only records from these zones")
	f.StringSliceVar(&s.types, "type", nil, "only events of these types: fs.write, 'graph.*', 0x0104")
	f.StringSliceVar(&s.paths, "path", nil, "only events on these paths and below them")
	f.StringSliceVar(&s.tx, "tx", nil, "only these transactions")
	f.IntSliceVar(&s.pids, "pid", nil, "only events of these processes")
	f.StringVar(&s.since, "since", "", "only from here on: a time, -10m, seq:N or tx:N")
	f.StringVar(&s.until, "until", "", "only up to here: a time, -10m, seq:N or tx:N")
	var kinds []string
	for _, k := range format.Kinds() {
		kinds = append(kinds, k.String())
	}
	must(cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(kinds, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("zone", cobra.FixedCompletions(format.Zones(), cobra.ShellCompDirectiveNoFileComp)))
}

// compile turns the flags into one filter; nil passes everything.
func (s *selection) compile(ctx context.Context, j format.Journal) (*filter.Filter, error) {
	if s.where != "" {
		// On its own first, so that an error points into what the user wrote.
		if _, err := filter.Compile(s.where); err != nil {
			return nil, err
		}
	}
	exprs := []string{s.where}
	for _, f := range []func() (string, error){s.kindExpr, s.zoneExpr, s.typeExpr, s.pathExpr, s.txExpr, s.pidExpr} {
		e, err := f()
		if err != nil {
			return nil, err
		}
		exprs = append(exprs, e)
	}
	times, err := boundsExpr(ctx, j, s.since, s.until)
	if err != nil {
		return nil, err
	}
	expr := filter.And(append(exprs, times)...)
	if expr == "" {
		return nil, nil
	}
	return filter.Compile(expr)
}

func oneOf(name string, values []string) string {
	var quoted []string
	for _, v := range values {
		quoted = append(quoted, filter.Quote(v))
	}
	return name + " in [" + strings.Join(quoted, ", ") + "]"
}

func (s *selection) kindExpr() (string, error) {
	if len(s.kinds) == 0 {
		return "", nil
	}
	for _, k := range s.kinds {
		if _, ok := format.ParseKind(k); !ok {
			var names []string
			for _, k := range format.Kinds() {
				names = append(names, k.String())
			}
			return "", fmt.Errorf("there is no kind %q; there are %s", k, strings.Join(names, ", "))
		}
	}
	return oneOf("kind", s.kinds), nil
}

func (s *selection) zoneExpr() (string, error) {
	if len(s.zones) == 0 {
		return "", nil
	}
	for _, z := range s.zones {
		if !contains(format.Zones(), z) {
			return "", fmt.Errorf("there is no zone %q; there are %s", z, strings.Join(format.Zones(), ", "))
		}
	}
	return oneOf("zone", s.zones), nil
}
