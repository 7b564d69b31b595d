package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vexfs/vexctl/internal/event"
	"github.com/vexfs/vexctl/internal/format"
)

func newTypes(a *app) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "types",
		Short: "List the 72 event types",
		Long: `List the event types: code, name, who defines them, and what they mean.

Types come in families. --type in other commands takes a name (fs.write), a
whole family ('graph.*') or a code (0x0104).`,
		Example: "  vexctl types\n  vexctl types -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var list []format.Fields
			var rows [][]string
			for _, t := range event.Types() {
				code := fmt.Sprintf("0x%04x", uint32(t.Type))
				rows = append(rows, []string{code, t.Name, string(t.Origin), t.Doc})
				var f format.Fields
				f.Uint("code", 0, 0, uint64(t.Type))
				f.Str("hex", 0, 0, code)
				f.Str("name", 0, 0, t.Name)
				f.Str("family", 0, 0, t.Type.Family().Name)
				f.Str("origin", 0, 0, string(t.Origin))
				f.Str("description", 0, 0, t.Doc)
				list = append(list, f)
			}
			return a.list(o.kind, "types", "types", list, []string{"code", "name", "origin", "meaning"}, rows)
		},
	}
	o.flags(cmd, "table", "json", "ndjson", "csv")
	return cmd
}
