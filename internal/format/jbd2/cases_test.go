package jbd2

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/verify"
)

// casesDir names a directory of crashed filesystems, each a folder with
// image.before, perhaps journal.before, and meta.json: what was done to it, and
// what the kernel said.
const casesDir = "VEXCTL_JBD2_CASES"

// undetectable lists damage that leaves nothing to see, with the reason.
var undetectable = map[string]string{
	"v3-4k~torn-all":              "a transaction none of whose blocks reached the disk never was",
	"v3-4k~deep-uuids":            "UUIDs after every tag are allowed",
	"nocsum-4k~deep-uuids":        "UUIDs after every tag are allowed",
	"v3-4k~sb-start0":             "an empty log is what a clean journal has, but for the filesystem's flag",
	"nocsum-4k~data-mid":          "nothing covers logged data",
	"nocsum-4k~data-last":         "nothing covers logged data",
	"nocsum-4k~torn-data":         "nothing covers logged data",
	"nocsum-4k~torn-datazero":     "nothing covers logged data",
	"nocsum-4k~desc-mid":          "nothing covers the block number in a tag, and the new one may be in range",
	"nocsum-4k~desc-last":         "nothing covers the block number in a tag, and the new one may be in range",
	"nocsum-4k~commit-mid":        "nothing covers a commit block",
	"nocsum-4k~commit-last":       "nothing covers a commit block",
	"ext3-1k~data-mid":            "nothing covers logged data",
	"revoke-nocsum-4k~revoke-mid": "nothing covers a revoked block's number",
}

type caseMeta struct {
	Name       string `json:"name"`
	Corruption string `json:"corruption"`
	KernelRC   *int   `json:"kernel_mount_rc"`
	Txns       *int   `json:"txns"`
}

// Cases that were made elsewhere: the kernel's refusals are seen, intact ones
// are sound, and damage leaves a trace.
func TestCases(t *testing.T) {
	dir := os.Getenv(casesDir)
	if dir == "" {
		t.Skipf("NOT TESTED: %s names no directory of cases", casesDir)
	}
	metas, err := filepath.Glob(filepath.Join(dir, "*", "meta.json"))
	must(t, err)
	if len(metas) == 0 {
		t.Fatalf("there are no cases in %s", dir)
	}
	for _, path := range metas {
		b, err := os.ReadFile(path)
		must(t, err)
		var meta caseMeta
		must(t, json.Unmarshal(b, &meta))
		t.Run(meta.Name, func(t *testing.T) {
			t.Parallel()
			d := &disk{image: filepath.Join(filepath.Dir(path), "image.before")}
			if j := filepath.Join(filepath.Dir(path), "journal.before"); isFile(j) {
				d.journal = j
			}
			meta.check(t, d)
		})
	}
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

func (m *caseMeta) check(t *testing.T, d *disk) {
	r, err := d.verify(t)
	if err != nil {
		if m.Name != "v3-4k~sb-feature" || !errors.Is(err, format.ErrUnsupported) {
			t.Error(err)
		}
		return
	}
	switch {
	case m.KernelRC != nil && *m.KernelRC != 0 && r.OK:
		t.Errorf("the kernel refuses it; found %s", list(r.Findings))
	case m.Corruption == "" && !r.OK && !m.hitsJournal(r):
		t.Errorf("intact, but found %s", messages(r.Findings))
	case m.Corruption == "" && m.Txns != nil && r.Info.Transactions.Committed+r.Info.Transactions.Damaged != *m.Txns:
		t.Errorf("%+v, want %d transactions", r.Info.Transactions, *m.Txns)
	case m.Corruption != "" && undetectable[m.Name] == "" && !traced(r):
		t.Error("nothing was found")
	}
}

// hitsJournal: cases of version 2 are made by debugfs, which logs blocks for
// homes chosen at random; some are the journal's own, and that is an error.
func (m *caseMeta) hitsJournal(r *verify.Report) bool {
	return strings.HasPrefix(m.Name, "csumv2") && !slices.ContainsFunc(r.Findings, func(f verify.Finding) bool {
		return f.Severity == format.Damage && f.Code != CodeBlockInJournal
	})
}

// traced says whether there is a finding that has to do with damage.
func traced(r *verify.Report) bool {
	return slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return f.Code != CodeNoChecksums && f.Code != CodeFastCommitStale })
}
