package ext4

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// TestJournal compares the journal's map to debugfs, block by block and byte
// by byte.
func TestJournal(t *testing.T) {
	forEach(t, func(t *testing.T, r recipe, image string) {
		checkJournal(t, r, openImage(t, image), image)
	})
}

func checkJournal(t *testing.T, r recipe, fs *FS, image string) {
	t.Helper()
	view, how, faults, err := fs.Journal()
	if !r.journal {
		if !errors.Is(err, format.ErrNoJournal) || format.Hint(err) == "" {
			t.Errorf("no journal: %v", err)
		}
		return
	}
	if err != nil || len(faults) != 0 || !strings.HasPrefix(how, "inode 8, ") {
		t.Fatalf("%q, faults %v, %v", how, faults, err)
	}
	sameAsDump(t, fs, view, image)
}

// sameAsDump compares a view of the journal to what debugfs takes for it.
func sameAsDump(t *testing.T, fs *FS, view *format.View, image string) {
	t.Helper()
	dump := filepath.Join(t.TempDir(), "journal")
	out := debugfs(t, image, "dump <8> "+dump, "blocks <8>")
	want, err := os.ReadFile(dump)
	must(t, err)
	got, err := io.ReadAll(io.NewSectionReader(view, 0, view.Size()))
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("the journal's %d bytes differ from debugfs's %d", len(got), len(want))
	}
	var blocks []uint64
	for _, e := range view.Extents() {
		for at := int64(0); at < e.Length; at += int64(fs.Super.BlockSize) {
			blocks = append(blocks, uint64(e.From+at)/uint64(fs.Super.BlockSize))
		}
	}
	all := numbers(out[1])
	for _, b := range blocks {
		if !slices.Contains(all, b) {
			t.Fatalf("block %d is not the journal's", b)
		}
	}
	if fs.Super.Incompat&incompatExtents != 0 && len(all) > len(blocks)+8 {
		t.Errorf("%d blocks, debugfs counts %d", len(blocks), len(all))
	}
}

// TestJournalBackup destroys the journal's inode and expects the same journal.
func TestJournalBackup(t *testing.T) {
	forEach(t, func(t *testing.T, r recipe, image string) {
		if !r.journal {
			t.Skip("has no journal")
		}
		fs := openImage(t, image)
		want, _, _, err := fs.Journal()
		must(t, err)
		_, at, _, _ := fs.readInode(8)
		whole := readAll(t, fs.Source, at, int64(fs.Super.InodeSize))
		for name, damage := range map[string]func(inode []byte){
			"zero":     func(n []byte) { clear(n) },
			"no links": func(n []byte) { le.PutUint16(n[0x1A:], 0) },
			"no size":  func(n []byte) { clear(n[4:8]) },
			"a FIFO":   func(n []byte) { le.PutUint16(n, modeFIFO) },
			"no map":   func(n []byte) { clear(n[0x28:0x64]) },
			"noise":    func(n []byte) { copy(n[0x28:0x64], bytes.Repeat([]byte{0xA5}, 60)) },
		} {
			b := bytes.Clone(whole)
			damage(b)
			hurt, err := Open(patched{fs.Source, at, b})
			must(t, err)
			view, how, faults, err := hurt.Journal()
			if err != nil || view == nil || !hasCode(faults, FaultInode) || !strings.HasPrefix(how, "backup of inode 8") {
				t.Errorf("%s: %q, faults %v, %v", name, how, faults, err)
				continue
			}
			if !slices.Equal(view.Extents(), want.Extents()) || view.Size() != want.Size() {
				t.Errorf("%s: the backup gives another map", name)
			}
			for _, f := range faults {
				if f.Code == FaultInode && f.Offset != at {
					t.Errorf("%s: the fault is at %d, the inode at %d", name, f.Offset, at)
				}
			}
		}
	})
}

// TestJournalDescriptor damages the descriptor of the group of inode 8.
func TestJournalDescriptor(t *testing.T) {
	r := recipe{name: "ext4", size: "24M", args: words("-t ext4 -b 1024")}
	path := r.make(t)
	want, _, _, err := openImage(t, path).Journal()
	must(t, err)
	b, err := os.ReadFile(path)
	must(t, err)
	clear(b[2*1024 : 2*1024+64])
	fs, err := Open(format.NewBytes("image", b))
	must(t, err)
	view, how, faults, err := fs.Journal()
	if err != nil || len(faults) != 1 || faults[0].Code != FaultDescriptor || faults[0].Offset != 2*1024 || !slices.Equal(view.Extents(), want.Extents()) {
		t.Errorf("%q, faults %v, %v", how, faults, err)
	}
}

func TestJournalExternal(t *testing.T) {
	m := newImage(false)
	le.PutUint32(m.super()[0xE0:], 0)
	copy(m.super()[0xD0:], "another device's")
	fs, err := Open(format.NewBytes("image", m.bytes()))
	must(t, err)
	if _, _, _, err := fs.Journal(); !errors.Is(err, ErrExternalJournal) || errors.Is(err, format.ErrNoJournal) || format.Hint(err) == "" {
		t.Errorf("%v", err)
	}
}

// TestJournalDevice opens an external journal, which is no filesystem.
func TestJournalDevice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "device")
	output(t, "mke2fs", "-q", "-F", "-O", "journal_dev", "-b", "1024", path, "4M")
	fs := openImage(t, path)
	if !fs.Super.IsJournalDevice || fs.Super.Blocks != 4096 || len(fs.Faults) != 0 {
		t.Errorf("%+v", fs)
	}
	if _, _, _, err := fs.Journal(); !errors.Is(err, format.ErrNoJournal) {
		t.Errorf("%v", err)
	}
	x := NewExplainer(fs)
	if typ, _ := x.Static(17); typ != "unknown" {
		t.Errorf("block 17 is %q", typ)
	}
	var f format.Fields
	x.Explain(&f, 17, make([]byte, 1024))
	_ = fs.Super.Fields()
}

// TestJournalDeviceLies: a journal device has no geometry to rely on.
func TestJournalDeviceLies(t *testing.T) {
	m := newImage(true)
	sb := m.super()
	le.PutUint32(sb[0x60:], incompatJournalDev|incompat64Bit)
	for _, at := range []int{0x20, 0x24, 0x28, 0x58, 0xFE} {
		le.PutUint16(sb[at:], 0)
	}
	sealSuper(sb)
	fs, err := Open(format.NewBytes("image", m.b))
	must(t, err)
	if _, _, _, err := fs.Journal(); !errors.Is(err, format.ErrNoJournal) {
		t.Errorf("%v", err)
	}
	var f format.Fields
	NewExplainer(fs).Explain(&f, 3, m.block(3))
	if f.Text("block_type") != "zeros" {
		t.Errorf("%+v", f)
	}
}

// TestJournalFragments marks every third block as used before the journal is
// made of what is left.
func TestJournalFragments(t *testing.T) {
	for _, kind := range []string{"ext4", "ext3"} {
		t.Run(kind, func(t *testing.T) {
			r := recipe{size: "8M", args: words("-t " + kind + " -b 1024 -O ^has_journal,^resize_inode")}
			path := r.make(t)
			requests := []string{}
			for b := 600; b < 8190; b += 3 {
				requests = append(requests, "setb "+strconv.Itoa(b))
			}
			change(t, path, requests...)
			output(t, "tune2fs", "-J", "size=1", path)
			fs := openImage(t, path)
			view, how, faults, err := fs.Journal()
			if err != nil || len(faults) != 0 {
				t.Fatalf("%q, faults %v, %v", how, faults, err)
			}
			if len(view.Extents()) < 400 {
				t.Errorf("%s: only %d runs", how, len(view.Extents()))
			}
			sameAsDump(t, fs, view, path)
		})
	}
}
