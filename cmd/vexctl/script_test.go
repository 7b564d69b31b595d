package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vexctl": main})
}

// TestScripts runs testdata/script. Beyond testscript's own commands there are:
//
//	journal NAME [FILE]    unpacks a bundled journal, as FILE or under its name
//	unchanged              no unpacked journal has changed, in bytes or in time
//	exits CODE COMMAND...  runs a command that must end with that exit code
//	confined COMMAND...    wraps a command so that file permissions hold for root too
//	json PATH VALUE        a member of the JSON object on stdout, as findings.0.code
//	records N              stdout has that many lines
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"journal":   cmdJournal,
			"unchanged": cmdUnchanged,
			"exits":     cmdExits,
			"json":      cmdJSON,
			"records":   cmdRecords,
		},
		Condition:           condition,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Setenv("NO_COLOR", "1")
			env.Values["journals"] = map[string]fingerprint{}
			return nil
		},
	})
}

// confine keeps root from reading what it has no permission for.
var confine = []string{"setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"}

// condition adds [confinable]: permissions can be made to hold for this user;
// and [loop]: loop devices can be made.
func condition(cond string) (bool, error) {
	root := os.Geteuid() == 0
	switch cond {
	case "confinable":
		return !root || exec.Command(confine[0], append(confine[1:], "true")...).Run() == nil, nil
	case "loop":
		return root && exec.Command("losetup", "-f").Run() == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

func cmdJournal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: journal NAME [FILE]")
	}
	path := ts.MkAbs(args[len(args)-1])
	ts.Check(unpackJournal(args[0], path))
	print, err := fingerprintOf(path)
	ts.Check(err)
	ts.Value("journals").(map[string]fingerprint)[path] = print
}

func cmdUnchanged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: unchanged")
	}
	for path, before := range ts.Value("journals").(map[string]fingerprint) {
		after, err := fingerprintOf(path)
		ts.Check(err)
		if after != before {
			ts.Fatalf("%s was changed: %v, then %v", path, before, after)
		}
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 2 {
		ts.Fatalf("usage: exits CODE [confined] COMMAND...")
	}
	args = args[1:]
	if args[0] == "confined" {
		args = args[1:]
		if os.Geteuid() == 0 {
			args = append(confine[:len(confine):len(confine)], args...)
		}
	}
	err = ts.Exec(args[0], args[1:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH VALUE")
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	var v any
	ts.Check(d.Decode(&v))
	for _, name := range strings.Split(args[0], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			i, err := strconv.Atoi(name)
			if name == "len" {
				v = len(x)
			} else if err != nil || i >= len(x) {
				ts.Fatalf("%s: there is no element %s of %d", args[0], name, len(x))
			} else {
				v = x[i]
			}
		default:
			v = nil
		}
	}
	if got := fmt.Sprint(v); (got == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

func cmdRecords(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := strings.Count(ts.ReadFile("stdout"), "\n"); (got == want) == neg {
		ts.Fatalf("stdout has %d lines", got)
	}
}

// run runs a command line in this process.
func run(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Main(args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// journalDir holds the bundled journals. It is absolute, since tests change
// their directory.
var journalDir = func() string {
	dir, err := filepath.Abs("../../testdata/journals")
	if err != nil {
		panic(err)
	}
	return dir
}()

// bundled lists the names of the bundled journals, without the ending of the
// compression.
func bundled(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(journalDir, "*.gz"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no journals in %s: %v", journalDir, err)
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(p), ".gz")
	}
	return paths
}
