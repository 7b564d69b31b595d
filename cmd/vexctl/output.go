package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// output is the format of a command's result.
type output struct {
	kind string
	json bool
}

// flags adds -o and --json. kinds lists what the command offers, the default
// first.
func (o *output) flags(cmd *cobra.Command, kinds ...string) {
	cmd.Flags().StringVarP(&o.kind, "output", "o", kinds[0], "output: "+strings.Join(kinds, ", "))
	cmd.Flags().BoolVar(&o.json, "json", false, "the same as -o json")
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(kinds, cobra.ShellCompDirectiveNoFileComp)))
	check := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if o.json {
			o.kind = "json"
		}
		if !slices.Contains(kinds, o.kind) {
			return fmt.Errorf("there is no output %q; there are %s", o.kind, strings.Join(kinds, ", "))
		}
		if check != nil {
			return check(cmd, args)
		}
		return nil
	}
}

// terminalWidth is the width of w if it is a terminal, else 0.
func terminalWidth(w io.Writer) int {
	var f *os.File
	switch w := w.(type) {
	case *sticky:
		f = w.file()
	case *os.File:
		f = w
	}
	if f == nil || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil || n <= 0 {
		return 80
	}
	return n
}

// colour says whether w should get colour.
func colour(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && terminalWidth(w) > 0
}

// paint wraps s in an ANSI colour, where colour is on.
func paint(on bool, code, s string) string {
	if !on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

const (
	red    = "31;1"
	yellow = "33"
	green  = "32;1"
	faint  = "2"
)

// wrap puts text behind a prefix and breaks it between words, so that it fits
// width columns; the lines that follow are indented as far as the prefix
// reaches. Width 0 is no limit.
func wrap(prefix, text string, width int) string {
	indent := strings.Repeat(" ", len(prefix))
	room := width - len(prefix)
	if width == 0 || room < 20 {
		return prefix + text
	}
	var b strings.Builder
	b.WriteString(prefix)
	used := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i > 0 && used+1+n > room:
			b.WriteString("\n" + indent)
			used = 0
		case i > 0:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}

// table prints rows under a header, without frames, fitted to the terminal.
func table(w io.Writer, header []string, rows [][]string) error {
	config := tablewriter.Config{
		Header: tw.CellConfig{Alignment: tw.CellAlignment{Global: tw.AlignLeft}, Formatting: tw.CellFormatting{AutoFormat: tw.On}},
		Row:    tw.CellConfig{Alignment: tw.CellAlignment{Global: tw.AlignLeft}, Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone}},
	}
	if width := terminalWidth(w); width > 0 {
		config.MaxWidth = width
		config.Row.Formatting.AutoWrap = tw.WrapNormal
	}
	none := tw.Border{Left: tw.Off, Right: tw.Off, Top: tw.Off, Bottom: tw.Off}
	t := tablewriter.NewTable(w, tablewriter.WithConfig(config), tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
		Borders:  none,
		Settings: tw.Settings{Lines: tw.LinesNone, Separators: tw.SeparatorsNone},
	})))
	t.Header(header)
	if err := t.Bulk(rows); err != nil {
		return err
	}
	return t.Render()
}
