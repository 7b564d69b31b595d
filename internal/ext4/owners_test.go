package ext4

import (
	"math/rand/v2"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// TestFlatten compares the sweep to painting the runs one after the other.
func TestFlatten(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		o := newOwners(&Super{Blocks: 1 << 20}, 8)
		type part struct {
			inode, logical uint32
			kind           kind
		}
		want := map[uint64]part{}
		for range rnd.IntN(40) {
			r := run{start: rnd.Uint64N(200), n: uint16(1 + rnd.IntN(30)), inode: uint32(rnd.IntN(4)), logical: uint32(rnd.IntN(50)), kind: kindFile}
			o.add(r)
			for i := range uint32(r.n) {
				want[r.start+uint64(i)] = part{r.inode, r.logical + i, r.kind}
			}
		}
		o.flatten()
		for b := range uint64(260) {
			r, ok := o.find(b)
			w, known := want[b]
			if ok != known || ok && (part{r.inode, r.logical, r.kind}) != w {
				t.Fatalf("block %d: %+v %t, want %+v %t", b, r, ok, w, known)
			}
		}
	}
}

// TestFull shows more than can be remembered: memory stays bounded, and what
// was learned stays known.
func TestFull(t *testing.T) {
	o := newOwners(&Super{Blocks: 1 << 40}, 8)
	for i := range uint64(maxOwnerRuns * 2) {
		o.add(run{start: 2 * i, n: 1, inode: uint32(i), kind: kindFile})
	}
	if !o.full || len(o.list) > maxOwnerRuns {
		t.Errorf("full %t with %d runs", o.full, len(o.list))
	}
	o.flatten()
	if r, ok := o.find(200); !ok || r.inode != 100 {
		t.Errorf("%+v", r)
	}
	// The same again and again is not too much.
	o = newOwners(&Super{Blocks: 1 << 40}, 8)
	for i := range uint64(maxOwnerRuns * 3) {
		o.add(run{start: 2 * (i % 1000), n: 1, inode: uint32(i % 1000), kind: kindFile})
	}
	if o.full {
		t.Error("full of repetitions")
	}
}

// TestLearnOrder: what the log says later is truer, and the log truer than the
// disk.
func TestLearnOrder(t *testing.T) {
	m := newImage(false)
	fs, err := Open(format.NewBytes("image", m.bytes()))
	must(t, err)
	x := NewExplainer(fs)
	table := make([]byte, 1024)
	for _, c := range []struct {
		ino  int
		mode uint16
	}{{11, modeRegular}, {12, modeDir}} {
		clear(table)
		// Inodes 9 to 16 are in the second block of the table.
		n := table[(c.ino-9)*128:]
		le.PutUint16(n, c.mode|0o644)
		le.PutUint16(n[0x1A:], 1)
		le.PutUint32(n[0x20:], flagExtents)
		putExtents(n[0x28:0x64], 0, extentOf(3, 1300, 10))
		if !x.Wants(6) {
			t.Fatal("an inode table is not wanted")
		}
		x.Learn(6, table)
	}
	var f format.Fields
	x.Explain(&f, 1304, nil)
	if f.Text("block_type") != "directory" || f.Num("inode") != 12 || f.Num("logical_block") != 7 {
		t.Errorf("%+v", f)
	}
	if x.Wants(6) {
		t.Error("learning goes on after explaining")
	}
	f = nil
	x.Explain(&f, 1310, nil)
	if f.Text("block_type") != "unknown" || f.Get("inode") != nil {
		t.Errorf("%+v", f)
	}
}

// TestHostileTables: what inodes and tree blocks claim is checked.
func TestHostileTables(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	fs, err := Open(format.NewBytes("image", newImage(true).bytes()))
	must(t, err)
	for range 200 {
		x := NewExplainer(fs)
		b := make([]byte, 1024)
		for block := range uint64(64) {
			for i := range b {
				b[i] = byte(rnd.Uint32())
			}
			if block%2 == 0 {
				for i := range 8 {
					n := b[128*i:]
					le.PutUint32(n[0x20:], flagExtents)
					le.PutUint16(n, modeRegular)
					putExtents(n[0x28:0x64], rnd.IntN(6), childOf(0, rnd.Uint32N(imageBlocks)), extentOf(9, rnd.Uint32N(imageBlocks), uint16(rnd.Uint32())))
				}
			}
			x.Learn(5+block%4, b)
			x.Learn(block, b)
		}
		for block := range uint64(imageBlocks) {
			var f format.Fields
			x.Explain(&f, block, b)
			if f.Text("block_type") == "" {
				t.Fatalf("block %d has no type", block)
			}
		}
	}
}
