package jbd2

import (
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/vexfs/vexctl/internal/verify"
)

// healthy are lives that leave nothing wrong behind.
var healthy = []struct {
	name, mkfs, mount string
	live              func(t *testing.T, d *disk)
}{
	{"freshly made", "-b 4096 -O metadata_csum,64bit", "", func(*testing.T, *disk) {}},
	{"made with a journal that was not cleared", "-b 1024 -J size=4 -E lazy_journal_init=1", "", cleanRounds(3)},
	{"a journal over old data", "-b 1024 -J size=4 -E lazy_journal_init=1 -O ^metadata_csum", "", overOldData},
	{"cleanly unmounted", "-b 4096 -O metadata_csum,64bit", "", cleanRounds(1)},
	{"mounted again and again", "-b 1024 -J size=1 -O metadata_csum", "", cleanRounds(4)},
	{"mounted again without checksums", "-b 1024 -J size=1 -O ^metadata_csum", "", cleanRounds(4)},
	{"unmounted with the old checksum", "-b 1024 -J size=1 -O ^metadata_csum", "journal_checksum", cleanRounds(2)},
	{"unmounted from an external journal", "-b 1024", "external", cleanRounds(2)},
	{"unmounted after fast commits", "-b 4096 -J size=5,fast_commit_size=256 -O fast_commit", "", cleanRounds(2)},
	{"replayed by the kernel", "-b 1024 -J size=1 -O metadata_csum", "", func(t *testing.T, d *disk) { crashed(t, d); cleanRounds(1)(t, d) }},
	{"replayed by the kernel without checksums", "-b 1024 -J size=1 -O ^metadata_csum", "", func(t *testing.T, d *disk) { crashed(t, d); cleanRounds(1)(t, d) }},
	{"replayed by e2fsck", "-b 1024 -J size=1 -O metadata_csum", "", func(t *testing.T, d *disk) { crashed(t, d); fsck(t, d) }},
	{"crashed after a replay by e2fsck", "-b 1024 -J size=1 -O metadata_csum", "", func(t *testing.T, d *disk) { crashed(t, d); fsck(t, d); crashed(t, d) }},
	{"crashed again and again", "-b 1024 -J size=1 -O metadata_csum", "", func(t *testing.T, d *disk) {
		for range 4 {
			crashed(t, d)
		}
	}},
	{"crashed again and again without checksums", "-b 1024 -J size=1 -O ^metadata_csum", "", func(t *testing.T, d *disk) {
		for range 4 {
			crashed(t, d)
		}
	}},
	{"a new journal in place of the old", "-b 1024 -J size=4 -O metadata_csum", "", newJournal(nil)},
	{"a new journal without checksums in place of the old", "-b 1024 -J size=4 -O ^metadata_csum", "", newJournal(nil)},
	{"crashed with a new journal", "-b 1024 -J size=4 -O metadata_csum", "", newJournal(crashed)},
	{"crashed with a new journal without checksums", "-b 1024 -J size=4 -O ^metadata_csum", "", newJournal(crashed)},
	{"crashed after checksums were turned off", "-b 1024 -J size=4 -O metadata_csum", "", func(t *testing.T, d *disk) {
		cleanRounds(1)(t, d)
		fsck(t, d)
		do(t, "tune2fs", "-O", "^metadata_csum", d.image)
		crashed(t, d)
	}},
	{"crashed after checksums were turned on", "-b 1024 -J size=4 -O ^metadata_csum", "", func(t *testing.T, d *disk) {
		cleanRounds(1)(t, d)
		fsck(t, d)
		do(t, "tune2fs", "-O", "metadata_csum", d.image)
		crashed(t, d)
	}},
	{"crashed with a new UUID", "-b 1024 -J size=4 -O metadata_csum", "", func(t *testing.T, d *disk) {
		crashed(t, d)
		fsck(t, d)
		do(t, "tune2fs", "-f", "-U", "random", d.image)
		crashed(t, d)
	}},
}

// cleanRounds mounts, works and unmounts n times.
func cleanRounds(n int) func(*testing.T, *disk) {
	return func(t *testing.T, d *disk) {
		for range n {
			m := d.mount(t)
			m.mess()
			m.unmount()
		}
	}
}

// mess works in a filesystem that may have been worked in before.
func (m *mounted) mess() {
	m.t.Helper()
	for i := range 12 {
		dir := m.path("d%d", i)
		if os.RemoveAll(dir); i%2 == 0 {
			must(m.t, os.Mkdir(dir, 0o755))
			m.write("d"+string(rune('0'+i/10))+".txt", patterned(i, 3000), i%4 == 0)
		}
		if i%3 == 0 {
			m.commit()
		}
	}
}

func crashed(t *testing.T, d *disk) {
	t.Helper()
	m := d.mount(t)
	m.mess()
	m.crash()
}

// fsck has e2fsck repair everything; it says 1 when there was something.
func fsck(t *testing.T, d *disk) {
	t.Helper()
	out, err := try("e2fsck", "-fy", d.image)
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() > 1) {
		t.Fatalf("e2fsck: %v: %s", err, out)
	}
}

// newJournal replaces the journal of a filesystem that was in use, and then
// goes on.
func newJournal(then func(*testing.T, *disk)) func(*testing.T, *disk) {
	return func(t *testing.T, d *disk) {
		cleanRounds(1)(t, d)
		do(t, "tune2fs", "-O", "^has_journal", d.image)
		do(t, "tune2fs", "-J", "size=2", d.image)
		if then != nil {
			then(t, d)
		}
	}
}

// overOldData makes a filesystem anew over one that crashed, so that its
// journal, which is not cleared, begins over the log of another.
func overOldData(t *testing.T, d *disk) {
	crashed(t, d)
	do(t, "mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-J", "size=4", "-E", "lazy_journal_init=1,nodiscard", "-O", "^metadata_csum", d.image)
	crashed(t, d)
}

// A healthy journal raises nothing above a note.
func TestNeverCriesWolf(t *testing.T) {
	needLab(t)
	for _, c := range healthy {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := makeDisk(t, c.mkfs, c.mount)
			c.live(t, d)
			r, err := d.verify(t)
			must(t, err)
			if bad := slices.DeleteFunc(slices.Clone(r.Findings), isNote); !r.OK || len(bad) > 0 {
				t.Errorf("found %s (%s)", messages(bad), r.Info.Outlook)
			}
		})
	}
}

func messages(fs []verify.Finding) (out []string) {
	for _, f := range fs {
		out = append(out, f.Code+": "+f.Message)
	}
	return out
}
