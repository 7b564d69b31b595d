package ext4

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// fuzzSize is the size of the sources that are fuzzed: the input, and zeros.
const fuzzSize = 4 << 20

// padded is bytes followed by zeros.
type padded []byte

func (p padded) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= fuzzSize {
		return 0, errors.New("outside")
	}
	if off+int64(len(b)) > fuzzSize {
		b = b[:fuzzSize-off]
	}
	clear(b)
	if off < int64(len(p)) {
		copy(b, p[off:])
	}
	return len(b), nil
}

func (p padded) Size() int64  { return fuzzSize }
func (p padded) Name() string { return "fuzz" }

// mend makes the sums of the superblock and of the journal's inode right.
func mend(b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) < 2048 {
		return b
	}
	sealSuper(b[1024:2048])
	fs, err := Open(padded(b))
	if err != nil || fs.Backup >= 0 {
		return b
	}
	n, at, _, ok := fs.readInode(fs.journalInode())
	if !ok || at < 2048 || at+int64(len(n)) > int64(len(b)) {
		return b
	}
	_, right, _ := fs.Super.inodeSum(fs.journalInode(), n)
	le.PutUint16(b[at+0x7C:], uint16(right))
	if len(n) > 0x84 {
		le.PutUint16(b[at+0x82:], uint16(right>>16))
	}
	return b
}

// FuzzOpen opens anything, maps its journal and explains its blocks: nothing
// panics, what is found keeps its laws, and the work stays bounded.
func FuzzOpen(f *testing.F) {
	for _, sums := range []bool{false, true} {
		f.Add(newImage(sums).keep().bytes()[:32<<10], sums)
		m := newImage(sums)
		blockMapped(m, 20)
		f.Add(m.bytes()[:32<<10], sums)
		m.root(1, childOf(0, 24))
		putExtents(m.block(24)[:1020], 0, extentOf(0, journalAt, 1024))
		f.Add(m.bytes()[:32<<10], sums)
	}
	for _, r := range small(f) {
		f.Add(r, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, repair bool) {
		if repair {
			b = mend(b)
		}
		src := padded(b)
		fs, err := Open(src)
		if err != nil {
			if !errors.Is(err, format.ErrUnknownFormat) && !errors.Is(err, format.ErrUnsupported) {
				t.Fatal(err)
			}
			return
		}
		_ = fs.Super.Fields()
		view, _, faults, err := fs.Journal()
		if err != nil && !errors.Is(err, format.ErrNoJournal) && !errors.Is(err, ErrExternalJournal) {
			t.Fatal(err)
		}
		if err == nil && view == nil && !hasCode(faults, FaultInode) {
			t.Fatalf("no journal, and no fault says why: %+v", faults)
		}
		if view != nil {
			tiles(t, view)
		}
		explainAll(fs, src)
	})
}

// explainAll learns from and explains the blocks at the start and at the end.
func explainAll(fs *FS, src format.Source) {
	x := NewExplainer(fs)
	size := int64(fs.Super.BlockSize)
	payload := make([]byte, size)
	visit := func(do func(block uint64)) {
		for block := range uint64(min(fuzzSize/size, 96)) {
			do(block)
			do(fs.Super.Blocks - 1 - block)
		}
	}
	read := func(block uint64) []byte {
		if n, _ := src.ReadAt(payload, int64(block)*size); int64(n) < size {
			return nil
		}
		return payload
	}
	visit(func(block uint64) {
		if x.Wants(block) {
			x.Learn(block, read(block))
		}
	})
	visit(func(block uint64) {
		var f format.Fields
		x.Explain(&f, block, nil)
		x.Explain(&f, block, read(block))
		x.Static(block)
	})
}

// small makes the smallest filesystems with a journal, without the parts that
// are zero, when there is a program to make them.
func small(f *testing.F) (out [][]byte) {
	if !isFile("/usr/sbin/mke2fs") && !isFile("/sbin/mke2fs") {
		f.Log("NOT SEEDED with real filesystems: mke2fs is not installed (package e2fsprogs)")
		return nil
	}
	for _, args := range []string{"-t ext4", "-t ext3", "-t ext4 -O ^flex_bg,^64bit -I 128", "-t ext4 -O meta_bg,^resize_inode -g 256"} {
		path := filepath.Join(f.TempDir(), "image")
		output(f, "mke2fs", append(words("-q -F -N 32 -b 1024 "+args), path, "3M")...)
		b, err := os.ReadFile(path)
		must(f, err)
		out = append(out, bytes.TrimRight(b[:128<<10], "\x00"))
	}
	return out
}
