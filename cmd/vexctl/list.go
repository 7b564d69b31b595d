package main

import (
	"encoding/csv"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/render"
)

// list prints a small catalogue: as a table of rows, or the same list of
// objects in a format for programs. name is the JSON member of the list.
func (a *app) list(kind, typ, name string, list []format.Fields, header []string, rows [][]string) error {
	switch kind {
	case "table":
		return table(a.out, header, rows)
	case "csv":
		w := csv.NewWriter(a.out)
		for i, f := range list {
			if i == 0 {
				var names []string
				for _, x := range f {
					names = append(names, x.Name)
				}
				w.Write(names)
			}
			var cells []string
			for j := range f {
				cells = append(cells, render.Cell(&f[j]))
			}
			w.Write(cells)
		}
		w.Flush()
		return w.Error()
	case "ndjson":
		for _, f := range list {
			var head format.Fields
			head.Uint("schema", 0, 0, render.Schema)
			head.Str("type", 0, 0, typ)
			if _, err := fmt.Fprintf(a.out, "%s\n", render.Fields(nil, append(head, f...))); err != nil {
				return err
			}
		}
		return nil
	}
	var top format.Fields
	top.Uint("schema", 0, 0, render.Schema)
	top.Str("type", 0, 0, typ)
	top.Objects(name, 0, 0, list)
	_, err := fmt.Fprintf(a.out, "%s\n", render.Fields(nil, top))
	return err
}
