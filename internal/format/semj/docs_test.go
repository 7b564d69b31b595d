package semj

import (
	"maps"
	"os"
	"regexp"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// The page lists every finding with the severity that the code gives it.
func TestPageListsTheFindings(t *testing.T) {
	page, err := os.ReadFile("../../../" + docs)
	if err != nil {
		t.Fatal(err)
	}
	listed, raised := map[string]string{}, map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z-]+) \| (error|warning|note) \|`).FindAllStringSubmatch(string(page), -1) {
		listed[m[1]] = m[2]
	}
	for _, ft := range []*format.Format{Format, Stor} {
		for _, r := range ft.Rules {
			raised[r.Code] = r.Severity.String()
		}
	}
	if !maps.Equal(listed, raised) {
		t.Errorf("the page lists %v, the code raises %v", listed, raised)
	}
}
