package jbd2

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// realCase is a filesystem, and what is done to it before its power is cut.
type realCase struct {
	name, mkfs, mount string
	work              func(m *mounted)
}

var realCases = []realCase{
	{"csum-v3", "-b 4096 -J size=4 -O metadata_csum,64bit", "", mixed},
	{"csum-v3-32bit", "-b 1024 -J size=1 -O metadata_csum,^64bit", "", mixed},
	{"none", "-b 4096 -J size=4 -O ^metadata_csum,^64bit", "", mixed},
	{"none-64bit", "-b 1024 -J size=1 -O ^metadata_csum,64bit", "", mixed},
	{"version-1", "-t ext3 -b 1024 -J size=2,v1_superblock", "", mixed},
	{"compat", "-b 4096 -J size=4 -O ^metadata_csum,^64bit", "journal_checksum", mixed},
	{"compat-async", "-b 1024 -J size=1 -O ^metadata_csum,64bit", "data=writeback,journal_async_commit", mixed},
	{"data", "-b 1024 -J size=2 -O metadata_csum,64bit", "data=journal", lookalikes},
	{"data-none", "-b 4096 -J size=4 -O ^metadata_csum", "data=journal", lookalikes},
	{"external", "-b 4096 -O metadata_csum,64bit", "external", mixed},
	{"external-1k", "-b 1024 -O ^metadata_csum", "external", mixed},
	{"wrapped", "-b 1024 -J size=1 -O metadata_csum,64bit", "", wrapping},
	{"wrapped-none", "-b 1024 -J size=1 -O ^metadata_csum,^64bit", "", wrapping},
	{"revokes", "-b 1024 -J size=4 -N 4096 -O metadata_csum,64bit", "", revoking},
	{"revokes-none", "-b 1024 -J size=4 -N 4096 -O ^metadata_csum,^64bit", "", revoking},
	{"fast", "-b 4096 -J size=4,fast_commit_size=256 -O metadata_csum,64bit,fast_commit", "", fastCommitting},
}

// mixed makes, changes and removes files and directories, a few commits long.
func mixed(m *mounted) {
	for r := range 6 {
		m.mkdir("d%d", r)
		for i := range 8 {
			m.write(fmt.Sprintf("d%d/f%d", r, i), patterned(i, i*777), false)
		}
		if r > 1 {
			must(m.t, os.Rename(m.path("d%d/f1", r-1), m.path("d%d/renamed", r)))
			must(m.t, os.Remove(m.path("d%d/f2", r-1)))
			must(m.t, os.Truncate(m.path("d%d/f3", r-1), 5))
		}
		m.commit()
	}
	m.mkdir("never")
}

// lookalikes writes data that look like the log's own blocks, into the log.
func lookalikes(m *mounted) {
	for r := range 5 {
		var b []byte
		for i := range 6 {
			block := patterned(i, m.d.bs)
			if i%2 == 0 {
				be.PutUint32(block, magic)
				be.PutUint32(block[4:], uint32(1+i))
				be.PutUint32(block[8:], uint32(2+r+i))
			}
			b = append(b, block...)
		}
		m.write(fmt.Sprint("file", r), b, false)
		m.commit()
	}
	m.mkdir("never")
}

// revoking removes directories and uses their blocks again.
func revoking(m *mounted) {
	const n = 400
	for i := range n {
		m.mkdir("d%d", i)
	}
	m.commit()
	for i := range n / 2 {
		must(m.t, os.Remove(m.path("d%d", i)))
	}
	m.commit()
	for i := range n / 4 {
		m.mkdir("e%d", i)
	}
	m.commit()
	for i := n / 2; i < n; i += 2 {
		must(m.t, os.Remove(m.path("d%d", i)))
	}
	m.commit()
	m.mkdir("never")
}

// wrapping commits until the live log runs over the end of the ring.
func wrapping(m *mounted) {
	for i := range 3000 {
		dir := m.path("d%d", i%50)
		if os.Remove(dir) != nil {
			must(m.t, os.Mkdir(dir, 0o755))
		}
		m.write(fmt.Sprint("f", i%30), patterned(i, 1500), false)
		m.commit()
		if i%5 != 0 {
			continue
		}
		j := m.d.open(m.t)
		l, err := j.walk(context.Background())
		must(m.t, err)
		if g := &j.geo; g.start > g.first+50 && l.endDist > g.last-g.start+30 {
			m.mkdir("never")
			return
		}
	}
	m.t.Fatal("the log never wrapped")
}

// fastCommitting ends in fast commits.
func fastCommitting(m *mounted) {
	m.mkdir("d")
	m.write("d/old", patterned(1, 9000), false)
	m.commit()
	for i := range 5 {
		m.write(fmt.Sprint("d/new", i), patterned(i, 100+i*5000), true)
	}
}

// build makes the disk of a case, and cuts its power.
func (c realCase) build(t testing.TB) *disk {
	t.Helper()
	d := makeDisk(t, c.mkfs, c.mount)
	m := d.mount(t)
	done := false
	defer func() {
		if !done {
			m.unmount()
		}
	}()
	c.work(m)
	done = true
	m.crash()
	return d
}

// What debugfs prints of a log, and what the kernel replays of it, is what the
// decoder finds.
func TestRealJournals(t *testing.T) {
	needLab(t)
	for _, c := range realCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := c.build(t)
			r, err := d.verify(t)
			must(t, err)
			if !r.OK {
				t.Errorf("found %s in an intact journal", list(r.Findings))
			}
			if r.Info.Transactions.Committed == 0 {
				t.Fatal("the journal is empty")
			}
			sameAsLogdump(t, d)
			if c.name == "fast" {
				if n := r.Info.Geometry.Num("fast_commits"); n < 5 {
					t.Errorf("%d fast commits, 5 were made", n)
				}
				return // this kernel can't replay fast commits without adding to the log
			}
			after := replayed(t, d)
			if want := uint32(r.Info.LastSeq) + 2; after != want {
				t.Errorf("the kernel goes on with tid %d, want %d", after, want)
			}
		})
	}
}

// replayed has the kernel replay a copy of the disk, and returns the journal's
// s_sequence after it: the first tid not replayed, plus one.
func replayed(t testing.TB, d *disk) uint32 {
	t.Helper()
	c := d.copy(t)
	m, err := c.tryMount(t, "ro")
	must(t, err)
	m.unmount()
	return c.open(t).super.sequence
}

// sameAsLogdump compares tags and revokes with debugfs.
func sameAsLogdump(t *testing.T, d *disk) {
	t.Helper()
	want := logdump(t, d)
	var got []string
	j := d.open(t)
	for r, err := range j.Scan(context.Background(), format.Scan{}) {
		must(t, err)
		if r.Zone != format.Live {
			continue
		}
		switch r.Kind {
		case format.Data:
			got = append(got, fmt.Sprintf("FS block %d logged at journal block %d (flags 0x%x)", r.Block, r.JournalOffset/int64(d.bs), r.Fields.Num("flags")))
		case format.Revoke:
			for _, b := range r.Fields.Get("blocks").L {
				got = append(got, fmt.Sprintf("Revoke FS block %d", b))
			}
		}
	}
	if len(want) == 0 || !slices.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Errorf("%d tags and revokes, debugfs has %d; they differ from number %d on", len(got), len(want), i)
	}
}

// logdump returns the lines of debugfs about tags and revokes.
func logdump(t *testing.T, d *disk) (out []string) {
	t.Helper()
	request := "logdump -a"
	if d.journal != "" {
		request += " -f " + d.journal
	}
	for line := range strings.Lines(do(t, "debugfs", "-c", "-R", request, d.image)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "FS block") || strings.HasPrefix(line, "Revoke FS block") {
			out = append(out, line)
		}
	}
	return out
}
