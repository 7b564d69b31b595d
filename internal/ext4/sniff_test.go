package ext4

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// TestSniff: what is structure, and what only resembles it.
func TestSniff(t *testing.T) {
	entry := func(b []byte, ino uint32, length uint16, kind byte, name string) []byte {
		le.PutUint32(b, ino)
		le.PutUint16(b[4:], length)
		b[6], b[7] = byte(len(name)), kind
		copy(b[8:], name)
		return b[length:]
	}
	filled := func(fill func(b []byte)) []byte {
		b := make([]byte, 1024)
		fill(b)
		return b
	}
	pointers := func(n int, step uint32) []byte {
		return filled(func(b []byte) {
			for i := range n {
				le.PutUint32(b[4*i:], 100+step*uint32(i))
			}
		})
	}
	for _, c := range []struct {
		name string
		b    []byte
		want kind
	}{
		{"zeros", make([]byte, 1024), kindUnknown},
		{"text", bytes.Repeat([]byte("Lorem ipsum dolo"), 64), kindUnknown},
		{"directory", filled(func(b []byte) { entry(entry(b, 12, 16, 1, "name"), 13, 1008, 2, "other") }), kindDirectory},
		{"one unused entry", filled(func(b []byte) { entry(b, 0, 1024, 0, "") }), kindUnknown},
		{"names with a slash", filled(func(b []byte) { entry(b, 12, 1024, 1, "a/b") }), kindUnknown},
		{"inode beyond the last", filled(func(b []byte) { entry(b, 1<<20, 1024, 1, "a") }), kindUnknown},
		{"chain beyond the end", filled(func(b []byte) { entry(b, 12, 16, 1, "a"); le.PutUint16(b[20:], 1012) }), kindUnknown},
		{"no type of file", filled(func(b []byte) { entry(b, 12, 1024, 9, "a") }), kindUnknown},
		{"attributes", filled(func(b []byte) { le.PutUint32(b, xattrMagic); b[8] = 1 }), kindXattr},
		{"attributes of two blocks", filled(func(b []byte) { le.PutUint32(b, xattrMagic); b[8] = 2 }), kindUnknown},
		{"extents", filled(func(b []byte) { putExtents(b, 0, extentOf(0, 100, 4)) }), kindExtents},
		{"extents astray", filled(func(b []byte) { putExtents(b, 0, extentOf(0, 1<<30, 4)) }), kindUnknown},
		{"root of a tree in a file", filled(func(b []byte) { putExtents(b[:60], 0, extentOf(0, 100, 4)) }), kindUnknown},
		{"pointers", pointers(200, 1), kindIndirect},
		{"scattered numbers", pointers(100, 7), kindUnknown},
		{"few numbers", pointers(3, 1), kindUnknown},
	} {
		s := Super{Inodes: 5000, Blocks: 1 << 16, FirstDataBlock: 1, BlockSize: 1024, Incompat: incompatFiletype}
		if strings.HasPrefix(c.name, "extents") {
			s.Incompat |= incompatExtents
		}
		if got := s.sniff(c.b); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestSniffNoise: random bytes, and text, are never structure.
func TestSniffNoise(t *testing.T) {
	s := Super{Inodes: 1 << 31, Blocks: 1 << 40, FirstDataBlock: 1, BlockSize: 1024, Incompat: incompatFiletype, Compat: compatOrphanFile}
	rnd := rand.New(rand.NewPCG(5, 6))
	b := make([]byte, 1024)
	for i := range 20000 {
		for j := 0; j < len(b); j += 8 {
			le.PutUint64(b[j:], rnd.Uint64())
		}
		if i%2 == 0 {
			// Small numbers, as in tables of records.
			for j := 0; j < len(b); j += 4 {
				le.PutUint32(b[j:], rnd.Uint32N(5000))
			}
		}
		if k := s.sniff(b); k != kindUnknown {
			t.Fatalf("noise is taken for %s: %x", k, b)
		}
	}
}

// TestDirectoryReused: a block that another inode owns by now tells by its
// checksum or its '.' that it was not that one's.
func TestDirectoryReused(t *testing.T) {
	r := recipes[0]
	image := r.kept(t)
	fs := openImage(t, image)
	blocks := blocksOf(debugfs(t, image, "stat /many")[0])
	many := numbers(debugfs(t, image, "stat /many")[0])[0]
	x := NewExplainer(fs)
	b := make([]byte, fs.Super.BlockSize)
	other := blocksOf(debugfs(t, image, "stat /empty")[0])[0].block
	for _, l := range blocks {
		if l.tree != "" {
			continue
		}
		must(t, fs.readBlock(l.block, b))
		var f format.Fields
		x.Explain(&f, other, b)
		if !strings.HasPrefix(f.Text("block_type"), "directory") {
			t.Errorf("%+v", f)
		}
		if ino := f.Get("inode"); l.logical > 0 && ino != nil || l.logical == 0 && (ino == nil || ino.U != many) {
			t.Errorf("block %d of the directory, elsewhere: %+v", l.logical, ino)
		}
	}
}

// TestConcurrent lets many ask the first question at once.
func TestConcurrent(t *testing.T) {
	fs := openImage(t, recipes[0].kept(t))
	x := NewExplainer(fs)
	done := make(chan string, 8)
	for range cap(done) {
		go func() {
			var f format.Fields
			for b := range uint64(4000) {
				x.Explain(&f, b, nil)
			}
			done <- fmt.Sprint(len(f))
		}()
	}
	first := <-done
	for range cap(done) - 1 {
		if got := <-done; got != first {
			t.Errorf("%s fields, another counts %s", got, first)
		}
	}
}

func BenchmarkExplain(b *testing.B) {
	fs := openImage(b, recipes[0].kept(b))
	x := NewExplainer(fs)
	text := bytes.Repeat([]byte("Lorem ipsum dolo"), 64)
	for _, c := range []struct {
		name    string
		payload []byte
	}{{"number", nil}, {"data", text}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			f := make(format.Fields, 0, 8)
			block := uint64(0)
			for b.Loop() {
				f = f[:0]
				x.Explain(&f, 5000+block%8000, c.payload)
				block += 37
			}
		})
	}
	b.Run("static", func(b *testing.B) {
		block := uint64(0)
		for b.Loop() {
			x.Static(block % fs.Super.Blocks)
			block += 37
		}
	})
}
