package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew; then read what changed")

// TestGoldenVerify compares what verify says of each bundled journal with the
// file beside it. The times of the machine are left out.
func TestGoldenVerify(t *testing.T) {
	for _, name := range bundled(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, args := unpacked(t, name)
			code, stdout, stderr := run(append([]string{"verify", "-o", "json"}, args...)...)
			got := portable(t, stdout)
			if ok := got["ok"] == true; ok != (code == exitDone) || !ok != (code == exitDamage) {
				t.Errorf("exit code %d, but ok is %v: %s", code, got["ok"], stderr)
			}
			if damaged := strings.HasPrefix(name, "damaged-") && name != "damaged-torn-tail.img"; damaged == (got["ok"] == true) {
				t.Errorf("ok is %v", got["ok"])
			}
			compareGolden(t, filepath.Join(journalDir, name+".verify.json"), got)
		})
	}
}

// portable parses a report and drops what depends on the machine.
func portable(t *testing.T, stdout string) map[string]any {
	t.Helper()
	var got map[string]any
	d := json.NewDecoder(strings.NewReader(stdout))
	d.UseNumber()
	if err := d.Decode(&got); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	delete(got, "journal")
	delete(got, "elapsed_ms")
	return got
}

func compareGolden(t *testing.T, path string, got any) {
	t.Helper()
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("%s differs; got\n%s", path, &text)
	}
}

// TestSameForAnyWorkers: how many parts are worked on at once changes nothing.
func TestSameForAnyWorkers(t *testing.T) {
	for _, name := range []string{"ext4-wrapped.img", "ext4-revokes.img", "damaged-data-bit.img", "damaged-descriptor-bit.img"} {
		_, args := unpacked(t, name)
		for _, command := range [][]string{{"verify", "-o", "csv"}, {"decode", "-o", "ndjson"}, {"decode", "--order", "physical"}} {
			var first string
			for _, n := range []string{"1", "2", "7"} {
				_, out, _ := run(append(append(command[:len(command):len(command)], "--workers", n), args...)...)
				if first == "" {
					first = out
				}
				if out != first {
					t.Errorf("%s %v: --workers %s gives another result than --workers 1", name, command, n)
				}
			}
		}
	}
}
