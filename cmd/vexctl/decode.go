package main

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vexfs/vexctl/internal/filter"
	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/render"
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
	match, err := v.sel.compile(ctx, o)
	if err != nil {
		return err
	}
	in, err := o.journal.Describe(ctx)
	if err != nil {
		return err
	}
	d := &decoder{v: v, a: a, o: o, match: match, damaged: in.State == format.Damaged}
	if v.stats {
		if err := d.stats(ctx, args[0]); err != nil {
			return err
		}
		return d.conclude(in)
	}
	if v.follow {
		return d.follow(ctx, args[0])
	}
	if err := d.print(ctx); err != nil {
		return err
	}
	return d.conclude(in)
}

// conclude says on stderr what is wrong with the journal as a whole, and turns
// damage into an exit code.
func (d *decoder) conclude(in *format.Info) error {
	for _, f := range in.Faults {
		if s := d.o.format.Severity(f.Code); s >= format.Warning {
			fmt.Fprintf(d.a.err, "vexctl: %s: %s: %s\n", s, f.Code, render.Plain(f.Message))
		}
	}
	if err := d.match.filter.Err(); err != nil {
		return err
	}
	if d.damaged {
		fmt.Fprintln(d.a.err, "vexctl: the journal is damaged; verify says how")
		return errDamage
	}
	return nil
}

// decoder prints the records of one journal.
type decoder struct {
	v       *decodeFlags
	a       *app
	o       *opened
	match   *selector
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
	}, match: d.match.Match, severity: d.o.format.Severity}
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

// partBytes is about how many bytes of log a part is made of: little enough
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
	must(cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(format.KindNames(), cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("zone", cobra.FixedCompletions(format.Zones(), cobra.ShellCompDirectiveNoFileComp)))
}

// compile turns the flags into a selector.
func (s *selection) compile(ctx context.Context, o *opened) (*selector, error) {
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
	from, until, err := s.bounds(time.Now())
	if err != nil {
		return nil, err
	}
	out := &selector{from: from, until: until, after: o.format.After}
	if expr := filter.And(exprs...); expr != "" {
		if out.filter, err = filter.Compile(expr); err != nil {
			return nil, err
		}
	}
	return out, out.prepare(ctx, o.journal)
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
			return "", fmt.Errorf("there is no kind %q; there are %s", k, strings.Join(format.KindNames(), ", "))
		}
	}
	return oneOf("kind", s.kinds), nil
}

func (s *selection) zoneExpr() (string, error) {
	if len(s.zones) == 0 {
		return "", nil
	}
	for _, z := range s.zones {
		if !slices.Contains(format.Zones(), z) {
			return "", fmt.Errorf("there is no zone %q; there are %s", z, strings.Join(format.Zones(), ", "))
		}
	}
	return oneOf("zone", s.zones), nil
}
