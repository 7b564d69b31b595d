package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vexfs/vexctl/internal/format/all"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// commands lists every command that a person can call, by its full name.
func commands() map[string]*cobra.Command {
	out := map[string]*cobra.Command{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		out[c.CommandPath()] = c
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				walk(sub)
			}
		}
	}
	walk(newRoot(&app{}))
	return out
}

// ours lists the commands of this program, without those that cobra adds.
func ours() map[string]*cobra.Command {
	out := commands()
	maps.DeleteFunc(out, func(name string, _ *cobra.Command) bool {
		return strings.HasPrefix(name, "vexctl completion") || strings.HasPrefix(name, "vexctl help")
	})
	return out
}

// TestExamples runs the examples of every help page on a bundled journal.
func TestExamples(t *testing.T) {
	for name, c := range ours() {
		if name == "vexctl" {
			continue
		}
		if c.Example == "" {
			t.Errorf("%s has no examples", name)
		}
		for line := range strings.Lines(c.Example) {
			line = strings.TrimSpace(line)
			if !strings.HasPrefix(line, "vexctl ") || strings.Contains(line, "/dev/") {
				continue
			}
			t.Run(line, func(t *testing.T) {
				t.Chdir(exampleDir(t, strings.Contains(line, "--journal-device")))
				if code, _, stderr := run(shellWords(line)[1:]...); code != exitDone {
					t.Errorf("exit code %d: %s", code, stderr)
				}
			})
		}
	}
}

// exampleDir has the files that the examples speak of.
func exampleDir(t *testing.T, external bool) string {
	dir := t.TempDir()
	files := map[string]string{"disk.img": "ext4-4k.img", "journal.img": "ext4-external.jdev", "events.semj": "events.semj"}
	if external {
		files["disk.img"] = "ext4-external.img"
	}
	for file, journal := range files {
		if err := unpackJournal(journal, filepath.Join(dir, file)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shellWords splits a command line with single quotes.
func shellWords(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}

// TestFlagsInReadme: the table of flags has every flag with the commands that
// take it, and nothing else.
func TestFlagsInReadme(t *testing.T) {
	_, table, ok := strings.Cut(readDoc(t, "README.md"), "| flag | of | does |\n")
	if !ok {
		t.Fatal("README.md has no table of flags")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	documented := map[string][]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.HasPrefix(cells[1], " ---") {
			continue
		}
		for _, flag := range regexp.MustCompile("`--([a-z-]+)`").FindAllStringSubmatch(cells[1], -1) {
			documented[flag[1]] = append(documented[flag[1]], strings.Split(strings.TrimSpace(cells[2]), ", ")...)
		}
	}
	real := map[string][]string{}
	for _, c := range ours() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && f.Name != "version" {
				real[f.Name] = append(real[f.Name], c.Name())
			}
		})
	}
	for _, m := range []map[string][]string{documented, real} {
		for _, list := range m {
			slices.Sort(list)
		}
	}
	for name, of := range real {
		if !slices.Equal(documented[name], of) {
			t.Errorf("--%s is of %v, README.md has %v", name, of, documented[name])
		}
	}
	for name := range documented {
		if real[name] == nil {
			t.Errorf("README.md has --%s, which does not exist", name)
		}
	}
}

// TestCommandLinesInDocs: every command line of ours that a page shows names a
// command and flags that exist.
func TestCommandLinesInDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../docs/formats/*.md")
	if err != nil {
		t.Fatal(err)
	}
	known := commands()
	inline := regexp.MustCompile("`(vexctl [^`]+)`|(?m)^(?:    |\\$ )(?:.*&& )?(vexctl .*)$")
	for _, page := range append(append(pages, more...), "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inline.FindAllStringSubmatch(string(text), -1) {
			line, _, _ := strings.Cut(m[1]+m[2], " | ")
			line, _, _ = strings.Cut(line, " #")
			words := shellWords(line)
			name := words[0]
			if len(words) > 1 && !strings.HasPrefix(words[1], "-") {
				name += " " + words[1]
			}
			c := known[name]
			if c == nil {
				t.Errorf("%s shows %q: there is no command %q", page, line, name)
				continue
			}
			for _, w := range words {
				flag, _, _ := strings.Cut(strings.TrimLeft(w, "-"), "=")
				switch {
				case strings.HasPrefix(w, "--") && c.Flags().Lookup(flag) == nil:
					t.Errorf("%s shows %q: %s has no flag %s", page, line, name, w)
				case len(w) == 2 && w[0] == '-' && c.Flags().ShorthandLookup(flag) == nil:
					t.Errorf("%s shows %q: %s has no flag %s", page, line, name, w)
				}
			}
		}
	}
}

// TestGoldenReadme: what the README shows is what comes out. -update renews it.
func TestGoldenReadme(t *testing.T) {
	block := regexp.MustCompile("<!-- disk.img is (\\S+) -->\n```\n\\$ (vexctl .*)\n((?s:.*?))(?:\\$ echo \\$\\?\n(\\d)\n)?```")
	readme, err := filepath.Abs("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := readDoc(t, "README.md")
	found := block.FindAllStringSubmatch(text, -1)
	if len(found) == 0 {
		t.Error("README.md shows no output")
	}
	for _, m := range found {
		t.Run(m[2], func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := unpackJournal(m[1], "disk.img"); err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := run(shellWords(m[2])[1:]...)
			if m[4] != "" && m[4] != fmt.Sprint(code) {
				t.Errorf("README.md shows exit code %s, it is %d", m[4], code)
			}
			switch {
			case stdout == m[3]:
			case *update:
				text = strings.Replace(text, m[3], stdout, 1)
			default:
				t.Errorf("README.md shows\n%s\nbut the output is\n%s%s", m[3], stdout, stderr)
			}
		})
	}
	if *update {
		if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFindingsPage: docs/findings.md and the rules list the same codes with
// the same severities.
func TestFindingsPage(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| (error|warning|note) \\| .+ \\| .+ \\|$")
	documented := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(readDoc(t, "docs/findings.md"), -1) {
		if documented[m[1]] != "" {
			t.Errorf("docs/findings.md has %s twice", m[1])
		}
		documented[m[1]] = m[2]
	}
	for _, r := range all.Rules() {
		if got := documented[r.Code]; got != r.Severity.String() {
			t.Errorf("%s is of severity %s; docs/findings.md says %q", r.Code, r.Severity, got)
		}
		delete(documented, r.Code)
	}
	for code := range documented {
		t.Errorf("docs/findings.md has %s, which nothing raises", code)
	}
}

// TestJSONPages: every member that any command prints is on the page that says
// what it means.
func TestJSONPages(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes every bundled journal; skipped with -short")
	}
	contract := words(readDoc(t, "docs/json.md"), "`([a-z0-9_-]+)`")
	pages := map[string]map[string]bool{}
	for _, f := range all.Formats {
		page, err := os.ReadFile(filepath.Join("../..", f.Docs))
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		pages[f.Name] = words(string(page), `([a-z0-9_]+)`)
	}
	missing := map[string]bool{}
	look := func(format, text string) {
		d := json.NewDecoder(strings.NewReader(text))
		for d.More() {
			var v any
			if err := d.Decode(&v); err != nil {
				t.Fatalf("%v in %.200s", err, text)
			}
			walkJSON(v, "", func(name string, ofFormat bool) {
				name = strings.TrimSuffix(name, "_b64")
				switch {
				case ofFormat && pages[format] != nil && !pages[format][name]:
					missing[format+"'s page: "+name] = true
				case !ofFormat && !contract[name]:
					missing["docs/json.md: "+name] = true
				}
			})
		}
	}
	for _, name := range bundled(t) {
		_, args := unpacked(t, name)
		_, info, _ := run(append([]string{"info", "-o", "json"}, args...)...)
		var top struct{ Format string }
		if err := json.Unmarshal([]byte(info), &top); err != nil {
			t.Fatal(err)
		}
		look(top.Format, info)
		for _, c := range [][]string{{"verify", "-o", "json"}, {"decode", "-o", "ndjson"}, {"decode", "-o", "json"}, {"decode", "-o", "json", "--stats"}} {
			_, text, _ := run(append(c[:len(c):len(c)], args...)...)
			look(top.Format, text)
		}
	}
	for _, c := range [][]string{{"types"}, {"formats"}, {"verify", "--list-rules"}} {
		_, text, _ := run(append(c, "-o", "json")...)
		look("", text)
	}
	for _, m := range slices.Sorted(maps.Keys(missing)) {
		t.Error("not on ", m)
	}
}

// words lists what a pattern's group matches in a page.
func words(page, pattern string) map[string]bool {
	out := map[string]bool{}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(page, -1) {
		out[m[1]] = true
	}
	return out
}

// walkJSON visits the names of all members. What lies below fields and
// geometry belongs to the format's page.
func walkJSON(v any, within string, visit func(name string, ofFormat bool)) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			walkJSON(e, within, visit)
		}
	case map[string]any:
		for name, e := range x {
			visit(name, within == "fields")
			switch {
			case within == "fields" || name == "fields" || name == "geometry":
				walkJSON(e, "fields", visit)
			default:
				walkJSON(e, "", visit)
			}
		}
	}
}
