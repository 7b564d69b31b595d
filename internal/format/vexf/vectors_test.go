package vexf

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"testing"
)

// device is memory that a Writer writes to and a decoder reads.
type device []byte

func newDevice(g Geometry, fill byte) device {
	d := make(device, (g.StartBlock+g.TotalBlocks)*uint64(g.BlockSize))
	for i := range d {
		d[i] = fill
	}
	return d
}

func (d device) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, d[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (d device) WriteAt(p []byte, off int64) (int, error) { return copy(d[off:], p), nil }

func (d device) block(g Geometry, n uint64) []byte {
	return d[n*uint64(g.BlockSize) : (n+1)*uint64(g.BlockSize)]
}

// digests is test contents: the SHA-256 digests of "name:0", "name:1", ...
func digests(name string, n int) []byte {
	var out []byte
	for i := 0; len(out) < n; i++ {
		d := sha256.Sum256(fmt.Appendf(nil, "%s:%d", name, i))
		out = append(out, d[:]...)
	}
	return out[:n]
}

// must ends the test when a step of a writer fails.
func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func fixedClock() uint64 { return 1700000000 }

func TestSum(t *testing.T) {
	for _, c := range []struct{ seed, want uint32 }{{0, 0x2DFD2D88}, {0xFFFFFFFF, 0x340BC6D9}} {
		if got := Sum(c.seed, []byte("123456789")); got != c.want {
			t.Errorf("Sum(%#x) = %#x, want %#x", c.seed, got, c.want)
		}
	}
	if got := Sum(0, make([]byte, 99)); got != 0 {
		t.Errorf("the sum of zeros is %#x", got)
	}
}

// The vectors were made with VexFS's own code.
func TestVectorsV1(t *testing.T) {
	g := Geometry{StartBlock: 8, TotalBlocks: 64, BlockSize: 4096, UID: 1000, GID: 1000}
	d := newDevice(g, 0)
	w, err := NewWriter(d, g, fixedClock)
	must(t, err, w.Create())
	if got := le.Uint32(d.block(g, 8)[sbChecksum:]); got != 0x52916F15 {
		t.Errorf("superblock as created: sum %#x", got)
	}
	if got := impliedPrevious(d.block(g, 8)); got != 0 {
		t.Errorf("superblock as created: implied previous sum %#x", got)
	}
	txn := w.Begin(OpWrite)
	txn.AddBlock(1000, 1001)
	must(t, txn.Commit(), w.WriteSuperblock())
	sb := d.block(g, 8)
	if got := le.Uint32(sb[sbChecksum:]); got != 0x05968BA7 {
		t.Errorf("superblock rewritten: sum %#x", got)
	}
	if got := impliedPrevious(sb); got != 0x52916F15 {
		t.Errorf("superblock rewritten: implied previous sum %#x", got)
	}
	want(t, "descriptor", d.block(g, 9)[:72], "46584556020000000100000000000000d19c7b9600000000"+
		"0100000000000000020000000300000000f1536500000000e8030000e8030000e803000000000000e903000000000000")
	want(t, "commit", d.block(g, 10)[:64], "465845560400000002000000000000007ed7c0e500000000"+
		"010000000000000000f153650000000002000000010000000320cd04000000000000000000000000")
}

func want(t *testing.T, what string, got []byte, hexed string) {
	t.Helper()
	if hex.EncodeToString(got) != hexed {
		t.Errorf("%s is\n%x, want\n%s", what, got, hexed)
	}
}

func TestVectorsV2(t *testing.T) {
	g := Geometry{StartBlock: 8, TotalBlocks: 128, BlockSize: 4096, UID: 1000, GID: 1000, Mode: ModeJournal}
	d := newDevice(g, 0)
	w, err := NewWriter(d, g, fixedClock)
	must(t, err, w.Create(), w.Force())
	txn := w.Begin(OpWrite)
	txn.AddBlock(1000)
	txn.AddData(500, digests("x", 4096))
	must(t, txn.Commit(), w.Checkpoint(), w.Force())
	for i, typ := range []Type{TypeData, TypeDescriptor, TypeCommit, TypeCheckpoint} {
		h := readHeader(d.block(g, uint64(9+i)))
		if h.Type != typ || h.Sequence != uint64(i+1) {
			t.Errorf("block %d has type %d and sequence %d", 9+i, h.Type, h.Sequence)
		}
	}
	for block, sum := range map[uint64]uint32{9: 0x7D8126EB, 10: 0x53992E36, 11: 0x66E30A73, 12: 0x9C78D0D0} {
		if got := le.Uint32(d.block(g, block)[hdrChecksum:]); got != sum {
			t.Errorf("block %d: sum %#x, want %#x", block, got, sum)
		}
	}
	if got := le.Uint32(d.block(g, 8)[sbChecksum:]); got != 0x94A6C067 {
		t.Errorf("superblock sum %#x", got)
	}
	want(t, "superblock SHA-256", d.block(g, 8)[extSHA256:extSize], "9ec9c3203e020feaafb30a67d5532bfc37d2fe1d66c0c6bf2e40666cbd90bc8f")
	want(t, "data SHA-256", d.block(g, 9)[32:64], "13d9b1e5d66e7d2b3ce535ab75f7644846b0de2bcd37ded4e68c3678b015685a")
	want(t, "checkpoint SHA-256", d.block(g, 12)[32:64], "be115a121cc59e5bc3809595f757eb44579ceb55202027e9d46d899f820fbf5c")
}
