package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/all"
)

func newFormats(a *app) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:     "formats",
		Short:   "List the journal formats, and what can be done with each",
		Long:    "List the journal formats, and what can be done with each.",
		Example: "  vexctl formats\n  vexctl formats -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var list []format.Fields
			var rows [][]string
			for _, f := range all.Formats {
				can := []string{"info", "decode", "verify"}
				var kinds []string
				for _, k := range f.Kinds {
					kinds = append(kinds, k.String())
				}
				rows = append(rows, []string{f.Name, f.Title, strings.Join(can, ", "), strings.Join(kinds, ", ")})
				var x format.Fields
				x.Str("name", 0, 0, f.Name)
				x.Str("title", 0, 0, f.Title)
				x.Texts("commands", can)
				x.Texts("kinds", kinds)
				x.Uint("rules", 0, 0, uint64(len(f.Rules)))
				list = append(list, x)
			}
			return a.list(o.kind, "formats", "formats", list, []string{"name", "format", "commands", "record kinds"}, rows)
		},
	}
	o.flags(cmd, "table", "json", "ndjson", "csv")
	return cmd
}
