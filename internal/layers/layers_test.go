// Package layers holds no code: its test keeps the directions in which
// packages may depend on each other. docs/ARCHITECTURE.md draws them.
package layers

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/vexfs/vexctl/"

// may lists, for each package, what it may import besides the standard
// library: packages of this module by their path in it, others by the path of
// their module. A package that is not listed may not be there.
var may = map[string][]string{
	"internal/event":     {},
	"internal/format":    {"internal/event", "golang.org/x/sys"},
	"internal/partition": {"internal/format"},
	"internal/ext4":      {"internal/format"},

	"internal/format/jbd2":       {"internal/format", "internal/ext4", "internal/partition"},
	"internal/format/semj":       {"internal/format", "internal/event", "github.com/pierrec/lz4/v4"},
	"internal/format/vexf":       {"internal/format"},
	"internal/format/all":        {"internal/format", "internal/format/jbd2", "internal/format/semj", "internal/format/vexf"},
	"internal/format/formattest": {"internal/format"},

	"internal/replay": {"internal/format", "internal/event"},
	"internal/verify": {"internal/replay", "internal/format"},
	"internal/mount":  {"internal/replay", "internal/event", "github.com/hanwen/go-fuse/v2"},
	"internal/tui":    {"internal/verify", "internal/replay", "internal/format", "github.com/charmbracelet/bubbletea", "github.com/charmbracelet/lipgloss"},
	"internal/filter": {"internal/format", "internal/event", "cel.dev/cel-go"},
	"internal/render": {"internal/format", "internal/event"},
	"internal/layers": {},

	"cmd/vexctl": {"internal/event", "internal/filter", "internal/format", "internal/format/all", "internal/partition", "internal/render",
		"internal/verify", "github.com/spf13/cobra", "github.com/olekukonko/tablewriter", "golang.org/x/sys", "golang.org/x/term"},

	"scripts/internal/crash": {"golang.org/x/sys"},
	"scripts/journals": {"scripts/internal/crash", "internal/event", "internal/format", "internal/format/all", "internal/format/jbd2",
		"internal/format/semj", "internal/format/vexf", "golang.org/x/sys"},
	"scripts/bench": {"scripts/internal/crash", "internal/format", "internal/format/jbd2", "golang.org/x/sys"},
}

// helpers are packages that only tests import: they may use whatever their
// package may, and that package.
const helperSuffix = "test"

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for dir, imports := range imports(t, "../..") {
		seen[dir] = true
		allowed, ok := may[dir]
		if !ok && strings.HasSuffix(dir, helperSuffix) {
			parent := filepath.ToSlash(filepath.Dir(dir))
			allowed, ok = append(slices.Clone(may[parent]), parent), true
		}
		if !ok {
			t.Errorf("%s is not in the table: say there what it may import", dir)
		}
		for _, path := range imports {
			if !isAllowed(allowed, path) {
				t.Errorf("%s imports %s, against the direction of the layers", dir, path)
			}
		}
	}
	for dir := range may {
		if !seen[dir] {
			t.Errorf("%s is in the table and has no Go files", dir)
		}
	}
}

func isAllowed(allowed []string, path string) bool {
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	if own, ok := strings.CutPrefix(path, module); ok {
		return slices.Contains(allowed, own)
	}
	return slices.ContainsFunc(allowed, func(a string) bool { return path == a || strings.HasPrefix(path, a+"/") })
}

// imports lists what the packages under root import, tests apart.
func imports(t *testing.T, root string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "dist") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(rel)
		list := out[dir]
		if !strings.HasSuffix(path, "_test.go") {
			for _, i := range f.Imports {
				p, err := strconv.Unquote(i.Path.Value)
				if err != nil {
					return err
				}
				list = append(list, p)
			}
		}
		out[dir] = list
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
