package vexf

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page lists every rule with its severity, and no other.
func TestDocsListTheRules(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "..", Format.Docs))
	must(t, err)
	_, findings, _ := strings.Cut(string(b), "## Findings")
	for _, r := range Format.Rules {
		if !strings.Contains(findings, fmt.Sprintf("| %s | %s | ", r.Code, r.Severity)) {
			t.Errorf("the page lacks %s (%s)", r.Code, r.Severity)
		}
	}
	if rows := strings.Count(findings, "\n| ") - 2; rows != len(Format.Rules) {
		t.Errorf("the page lists %d findings, there are %d rules", rows, len(Format.Rules))
	}
}
