package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/render"
)

type infoFlags struct {
	where
	output
}

func newInfo(a *app) *cobra.Command {
	v := &infoFlags{}
	cmd := &cobra.Command{
		Use:   "info [JOURNAL]",
		Short: "Say what a journal is, and which state it is in",
		Long: `Say what a journal is: its format, variant and features, where it was found, its
geometry, its state (clean, dirty, live or damaged), the range of its
sequences and times, and how many records of each kind it holds.

Logged contents are not read; verify does that.`,
		Example: `  vexctl info disk.img
  vexctl info -o json /dev/sdb1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), a, args) },
	}
	v.where.flags(cmd)
	v.output.flags(cmd, "table", "json", "ndjson", "csv")
	return cmd
}

func (v *infoFlags) run(ctx context.Context, a *app, args []string) error {
	args, err := journalArgs(args)
	if err != nil {
		return err
	}
	o, err := v.open(ctx, args[0])
	if err != nil {
		return err
	}
	defer o.close()
	in, err := o.journal.Describe(ctx)
	if err != nil {
		return err
	}
	counts, err := count(ctx, o.journal)
	if err != nil {
		return err
	}
	if _, mounted := o.volatile(); mounted && in.State != format.Damaged {
		in.State = format.InUse
	}
	if err := v.print(a, args[0], o, in, counts); err != nil {
		return err
	}
	if in.State == format.Damaged {
		return errDamage
	}
	return nil
}

// count counts the records of each kind, without reading logged contents.
func count(ctx context.Context, j format.Journal) (format.Fields, error) {
	counts := make([]uint64, len(format.Kinds()))
	for r, err := range j.Scan(ctx, format.Scan{LiveOnly: true, Brief: true, SkipData: true}) {
		if err != nil {
			return nil, err
		}
		counts[r.Kind]++
	}
	var f format.Fields
	for i, k := range format.Kinds() {
		if counts[i] > 0 && k != format.Gap {
			f.Uint(k.String(), 0, 0, counts[i])
		}
	}
	return f, nil
}

// infoFields puts all that info says into one object, from which every output is
// made.
func infoFields(path string, o *opened, in *format.Info, counts format.Fields) format.Fields {
	var f format.Fields
	f.Uint("schema", 0, 0, render.Schema)
	f.Str("type", 0, 0, "info")
	f.Str("journal", 0, 0, path)
	f.Str("format", 0, 0, in.Format)
	f.Str("title", 0, 0, o.format.Title)
	f.Texts("variant", in.Variant)
	if in.Place != "" {
		f.Str("place", 0, 0, in.Place)
	}
	f.Uint("size", 0, 0, uint64(o.journal.Source().Size()))
	f.Str("state", 0, 0, in.State.String())
	if in.Outlook != "" {
		f.Str("outlook", 0, 0, in.Outlook)
	}
	if in.HasSeq {
		f.Uint("first_seq", 0, 0, in.FirstSeq)
		f.Uint("last_seq", 0, 0, in.LastSeq)
	}
	if in.HasTime {
		f.Time("first_time", 0, 0, in.FirstTime)
		f.Time("last_time", 0, 0, in.LastTime)
	}
	var t format.Fields
	t.Uint("committed", 0, 0, uint64(in.Transactions.Committed))
	t.Uint("uncommitted", 0, 0, uint64(in.Transactions.Uncommitted))
	t.Uint("damaged", 0, 0, uint64(in.Transactions.Damaged))
	t.Uint("unreachable", 0, 0, uint64(in.Transactions.Unreachable))
	f.Nested("transactions", 0, 0, t)
	f.Nested("records", 0, 0, counts)
	f.Nested("geometry", 0, 0, in.Geometry)
	return f
}

func (v *infoFlags) print(a *app, path string, o *opened, in *format.Info, counts format.Fields) error {
	f := infoFields(path, o, in, counts)
	switch v.kind {
	case "json", "ndjson":
		b := render.Fields(nil, f)
		b = append(b[:len(b)-1], `,"findings":[`...)
		for i := range in.Faults {
			if i > 0 {
				b = append(b, ',')
			}
			b = render.Fault(b, &in.Faults[i], o.format.Severity(in.Faults[i].Code).String())
		}
		return writeLine(a.out, append(b, ']', '}'))
	case "csv":
		return a.list("csv", "", "", []format.Fields{flatten("", f)}, nil, nil)
	}
	printFields(a.out, "", terminalWidth(a.out), f[2:])
	on := colour(a.out)
	for _, x := range in.Faults {
		s := o.format.Severity(x.Code)
		fmt.Fprintf(a.out, "%s  %s\n", paint(on, severityColour(s), fmt.Sprintf("%-7s", s)), x.Code)
		fmt.Fprintln(a.out, wrap("         ", render.Plain(x.Message), terminalWidth(a.out)))
	}
	return nil
}

// printFields writes a value a line, structures indented below their name.
func printFields(w io.Writer, indent string, width int, fs format.Fields) {
	for i := range fs {
		f := &fs[i]
		if f.Type == format.TypeNested {
			fmt.Fprintf(w, "%s%s\n", indent, f.Name)
			printFields(w, indent+"  ", width, f.Sub)
			continue
		}
		text := render.Text(f)
		if f.Name == "size" && indent == "" {
			text = fmt.Sprintf("%d (%s)", f.U, render.Bytes(int64(f.U)))
		}
		if f.Type == format.TypeTexts {
			text = strings.ReplaceAll(text, ",", ", ") // lets the list wrap
		}
		fmt.Fprintln(w, wrap(fmt.Sprintf("%s%-*s ", indent, 20-len(indent), f.Name), text, width))
	}
}

// flatten turns structures into fields with dotted names.
func flatten(prefix string, fs format.Fields) format.Fields {
	var out format.Fields
	for _, f := range fs {
		if f.Type == format.TypeNested {
			out = append(out, flatten(prefix+f.Name+".", f.Sub)...)
			continue
		}
		f.Name = prefix + f.Name
		out = append(out, f)
	}
	return out
}
