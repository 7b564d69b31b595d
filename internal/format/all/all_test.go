package all

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

func TestCodesMeanOneThing(t *testing.T) {
	code := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	severities := map[string]format.Severity{}
	for _, f := range Formats {
		seen := map[string]bool{}
		for _, r := range f.Rules {
			if seen[r.Code] || !code.MatchString(r.Code) {
				t.Errorf("%s: bad or repeated code %q", f.Name, r.Code)
			}
			seen[r.Code] = true
			if s, ok := severities[r.Code]; ok && s != r.Severity {
				t.Errorf("%s: %s is a %s here and a %s elsewhere", f.Name, r.Code, r.Severity, s)
			}
			severities[r.Code] = r.Severity
			if !strings.HasSuffix(r.Doc, ".") {
				t.Errorf("%s: the doc of %s is no sentence: %q", f.Name, r.Code, r.Doc)
			}
		}
	}
}

func TestTableIsComplete(t *testing.T) {
	for _, f := range Formats {
		if got, err := Named(f.Name); err != nil || got != f {
			t.Errorf("Named(%q) = %v, %v", f.Name, got, err)
		}
		if f.Title == "" || len(f.Kinds) == 0 || len(f.Rules) == 0 {
			t.Errorf("%s: a row with holes", f.Name)
		}
		if _, err := os.Stat("../../../" + f.Docs); err != nil {
			t.Errorf("%s: its page is missing: %v", f.Name, err)
		}
	}
	if _, err := Named("xfs"); err == nil || !strings.Contains(err.Error(), "jbd2") {
		t.Errorf("an unknown name gives %v, which should list the known ones", err)
	}
}

func TestOpenSaysWhatItCanNotRead(t *testing.T) {
	for name, b := range map[string][]byte{"empty": nil, "tiny": {1, 2, 3}, "text": []byte(strings.Repeat("no journal here. ", 5000)), "zeros": make([]byte, 1<<20)} {
		_, _, err := Open(context.Background(), format.NewBytes(name, b), format.Options{})
		if !errors.Is(err, format.ErrUnknownFormat) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
