package main

import (
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// unpackJournal unpacks a bundled journal. Its time is long ago, so that
// nobody takes it for one that is being written.
func unpackJournal(name, dst string) error {
	in, err := os.Open(filepath.Join(journalDir, name+".gz"))
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return err
	}
	if err := os.WriteFile(dst, b, 0o644); err != nil {
		return err
	}
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	return os.Chtimes(dst, old, old)
}

// unpacked unpacks a journal, and the journal device that goes with it, into a
// directory of the test's. args are the arguments that open it.
func unpacked(t *testing.T, name string) (path string, args []string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, name)
	if err := unpackJournal(name, path); err != nil {
		t.Fatal(err)
	}
	if name == "ext4-external.img" {
		dev := filepath.Join(dir, "ext4-external.jdev")
		if err := unpackJournal("ext4-external.jdev", dev); err != nil {
			t.Fatal(err)
		}
		return path, []string{"--journal-device", dev, path}
	}
	return path, []string{path}
}

// fingerprint tells whether a file was written to.
type fingerprint struct {
	sum  string
	size int64
	time time.Time
}

func fingerprintOf(path string) (fingerprint, error) {
	f, err := os.Open(path)
	if err != nil {
		return fingerprint{}, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fingerprint{}, err
	}
	st, err := f.Stat()
	if err != nil {
		return fingerprint{}, err
	}
	return fingerprint{fmt.Sprintf("%x", h.Sum(nil)), st.Size(), st.ModTime()}, nil
}

// TestInputUnchanged runs every inspecting command on every bundled journal.
func TestInputUnchanged(t *testing.T) {
	commands := [][]string{{"info"}, {"info", "-o", "json"}, {"verify"}, {"verify", "-o", "json"}, {"decode"}, {"decode", "-o", "ndjson"},
		{"decode", "-o", "csv", "--order", "physical"}, {"decode", "--hex"}, {"decode", "--stats"}}
	for i, name := range bundled(t) {
		if testing.Short() && i%5 != 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, args := unpacked(t, name)
			before, err := fingerprintOf(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range commands {
				if code, _, stderr := run(append(c[:len(c):len(c)], args...)...); code > exitDamage {
					t.Errorf("vexctl %v: exit code %d: %s", c, code, stderr)
				}
			}
			after, err := fingerprintOf(path)
			if err != nil {
				t.Fatal(err)
			}
			if after != before {
				t.Errorf("the journal was changed: %v, then %v", before, after)
			}
		})
	}
}
