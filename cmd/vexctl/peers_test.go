package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestDebugfsAgrees: on intact journals debugfs finds as many transactions and
// revoke blocks as verify and decode do.
func TestDebugfsAgrees(t *testing.T) {
	debugfs := peer(t, "debugfs")
	for _, name := range bundled(t) {
		if strings.HasPrefix(name, "damaged-") || strings.HasPrefix(name, "disk-") || !strings.HasSuffix(name, ".img") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, args := unpacked(t, name)
			logdump := "logdump"
			if len(args) > 1 {
				logdump += " -f " + args[1]
			}
			out, err := exec.Command(debugfs, "-c", "-R", logdump, path).Output()
			if err != nil {
				t.Fatal(err)
			}
			_, stdout, stderr := run(append([]string{"info", "-o", "json"}, args...)...)
			var in struct {
				Transactions struct{ Committed int }
				Records      struct{ Commit, Revoke int }
			}
			if err := json.Unmarshal([]byte(stdout), &in); err != nil {
				t.Fatalf("%v: %s", err, stderr)
			}
			commits := strings.Count(string(out), "type 2 (commit block)")
			revokes := strings.Count(string(out), "type 5 (revoke table)")
			if in.Transactions.Committed != commits || in.Records.Commit != commits || in.Records.Revoke != revokes {
				t.Errorf("debugfs finds %d commits and %d revoke blocks, info %d, %d and %d",
					commits, revokes, in.Transactions.Committed, in.Records.Commit, in.Records.Revoke)
			}
		})
	}
}

// TestCleanAfterE2fsck: what e2fsck has replayed is clean to us, and on intact
// journals it has nothing to complain about.
func TestCleanAfterE2fsck(t *testing.T) {
	e2fsck := peer(t, "e2fsck")
	for _, name := range []string{"ext4-4k.img", "ext3-1k.img", "ext4-compat-checksum.img", "ext4-data-journal.img", "ext4-wrapped.img", "ext4-revokes.img"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, _ := unpacked(t, name)
			if out, err := exec.Command(e2fsck, "-y", "-E", "journal_only", path).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			code, stdout, stderr := run("verify", "-o", "json", path)
			var r struct{ State string }
			if err := json.Unmarshal([]byte(stdout), &r); err != nil {
				t.Fatalf("%v: %s", err, stderr)
			}
			if code != exitDone || r.State != "clean" {
				t.Errorf("exit code %d, state %s: %s", code, r.State, stdout)
			}
		})
	}
}

// peer finds a program of e2fsprogs.
func peer(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if _, err := os.Stat(dir + name); err == nil {
			return dir + name
		}
	}
	t.Skipf("%s is missing: install e2fsprogs to compare with it", name)
	return ""
}
