package jbd2

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vexfs/vexctl/internal/format/jbd2/jbd2test"
)

// unhex reads hex digits with spaces between.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	must(t, err)
	return b
}

// Tags as they stand on disk, in every layout: block 0x4_00000301 where there
// is room for it, flags SAME_UUID and ESCAPE, checksum 0xABCD1234.
func TestTagLayouts(t *testing.T) {
	const low, high = 0x301, 0x400000301
	for _, c := range []struct {
		name  string
		g     geometry
		disk  string
		size  int
		block uint64
		sum   uint32
	}{
		{name: "none, 32 bit", g: geometry{}, size: 8, disk: "00000301 0000 0003", block: low},
		{name: "none, 64 bit", g: geometry{bits64: true}, size: 12, disk: "00000301 0000 0003 00000004", block: high},
		{name: "compat, 32 bit", g: geometry{csum: csumCompat}, size: 8, disk: "00000301 0000 0003", block: low},
		{name: "v2, 32 bit", g: geometry{csum: csumV2}, size: 10, disk: "00000301 1234 0003 0000", block: low, sum: 0x1234},
		{name: "v2, 64 bit", g: geometry{csum: csumV2, bits64: true}, size: 14, disk: "00000301 1234 0003 00000004 0000", block: high, sum: 0x1234},
		{name: "v3, 32 bit", g: geometry{csum: csumV3}, size: 16, disk: "00000301 00000003 00000004 abcd1234", block: low, sum: 0xABCD1234},
		{name: "v3, 64 bit", g: geometry{csum: csumV3, bits64: true}, size: 16, disk: "00000301 00000003 00000004 abcd1234", block: high, sum: 0xABCD1234},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.disk)
			if got := c.g.tagSize(); got != c.size || len(b) != c.size {
				t.Fatalf("size %d, want %d", got, c.size)
			}
			if got, want := c.g.tag(b), (tag{block: c.block, flags: 3, sum: c.sum}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

// The walk over the tags ends at the last one, or where no whole tag fits; a
// tag that fits counts even if its UUID does not.
func TestTagWalk(t *testing.T) {
	g := geometry{blockSize: 1024}
	g.tagBytes = g.tagSize()
	fill := func(flags byte) []byte {
		b := make([]byte, 1024)
		for at := 12; at+8 <= len(b); at += 8 {
			b[at+7] = flags
		}
		return b
	}
	last := fill(flagSameUUID)
	last[12+5*8+7] |= flagLastTag
	for _, c := range []struct {
		name     string
		b        []byte
		n        int
		complete bool
	}{
		{"without UUIDs", fill(flagSameUUID), 126, false},
		{"with UUIDs", make([]byte, 1024), 42, false},
		{"with a last tag", last, 6, true},
	} {
		tags, complete := g.tags(nil, c.b)
		if len(tags) != c.n || complete != c.complete || g.countTags(c.b) != uint32(c.n) {
			t.Errorf("%s: %d tags (%d counted), complete %t; want %d, %t", c.name, len(tags), g.countTags(c.b), complete, c.n, c.complete)
		}
	}
	g.csum = csumV3
	g.tagBytes = g.tagSize()
	if tags, _ := g.tags(nil, fill(flagSameUUID)[:12+16*3+3]); len(tags) != 2 {
		t.Errorf("%d tags before a checksum, want 2", len(tags))
	}
}

func TestRevokes(t *testing.T) {
	g := geometry{}
	b := make([]byte, 1024)
	for i := range 252 {
		be.PutUint32(b[16+4*i:], uint32(1000+i))
	}
	for _, c := range []struct {
		name  string
		g     geometry
		count uint32
		n     int
		ok    bool
	}{
		{"none at all", geometry{}, 16, 0, true},
		{"less than the head", geometry{}, 3, 0, true},
		{"half a number is none", geometry{}, 16 + 7, 1, true},
		{"full", geometry{}, 1024, 252, true},
		{"full, with a checksum", geometry{csum: csumV3}, 1020, 251, true},
		{"into the checksum", geometry{csum: csumV3}, 1024, 251, false},
		{"more than there is", geometry{}, 0x7fffffff, 252, false},
		{"64 bit", geometry{bits64: true}, 32, 2, true},
	} {
		be.PutUint32(b[12:], c.count)
		list, ok := c.g.revokes(b)
		if len(list) != c.n || ok != c.ok {
			t.Errorf("%s: %d revokes, %t; want %d, %t", c.name, len(list), ok, c.n, c.ok)
		}
	}
	g.bits64 = true
	be.PutUint32(b[12:], 24)
	if list, _ := g.revokes(b); !slices.Equal(list, []uint64{1000<<32 | 1001}) {
		t.Errorf("64 bit: %x", list)
	}
}

// The classic check values of both polynomials: "123456789" gives E3069283 with
// CRC-32C and 0376E6E7 with CRC-32/MPEG-2, of which the first inverts its
// result and the second does not.
func TestSums(t *testing.T) {
	check := []byte("123456789")
	if got := ^crc32c(0xFFFFFFFF, check); got != 0xE3069283 {
		t.Errorf("CRC-32C %08x", got)
	}
	if got := crc32be(0xFFFFFFFF, check); got != 0x0376E6E7 {
		t.Errorf("CRC-32/MPEG-2 %08x", got)
	}
	for n := range 40 {
		b := bytes.Repeat([]byte{0xA5, 0x17, byte(n)}, 20)[:n]
		if got, want := crc32be(uint32(n), b), jbd2test.CRC32BE(uint32(n), b); got != want {
			t.Errorf("%d bytes: %08x, want %08x", n, got, want)
		}
		if got, want := crc32c(uint32(n), b), jbd2test.CRC32C(uint32(n), b); got != want {
			t.Errorf("%d bytes: %08x, want %08x", n, got, want)
		}
		if register := crc32c(0x12345678, b); unwind(register, b) != 0x12345678 {
			t.Errorf("%d bytes can't be unwound", n)
		}
	}
}

// A flipped bit is found again from the difference of the sums.
func TestFlippedBitBE(t *testing.T) {
	b := bytes.Repeat([]byte("some block "), 300)
	want := crc32be(0xFFFFFFFF, b)
	for _, c := range []struct{ back, bit int }{{0, 0}, {0, 7}, {1, 3}, {1500, 6}, {len(b) - 1, 5}} {
		b[len(b)-1-c.back] ^= 1 << c.bit
		back, bit := flippedBitBE(int64(len(b)), want^crc32be(0xFFFFFFFF, b))
		b[len(b)-1-c.back] ^= 1 << c.bit
		if int(back) != c.back || bit != c.bit {
			t.Errorf("bit %d, %d bytes from the end: found bit %d, %d bytes", c.bit, c.back, bit, back)
		}
	}
}

// A commit block's seconds may stand in the upper half of their field.
func TestCommitTime(t *testing.T) {
	for _, c := range []struct {
		sec  uint64
		nsec uint32
		want time.Time
		ok   bool
	}{
		{1_700_000_000, 5, time.Unix(1_700_000_000, 5), true},
		{1_700_000_000 << 32, 5, time.Unix(1_700_000_000, 5), true},
		{0, 5, time.Time{}, false},
		{1_700_000_000, 1_000_000_000, time.Time{}, false},
		{1 << 63, 0, time.Unix(1<<31, 0), true},
		{1<<63 | 1, 0, time.Time{}, false},
	} {
		b := make([]byte, 64)
		be.PutUint64(b[48:], c.sec)
		be.PutUint32(b[56:], c.nsec)
		ns, ok := commitTime(b)
		if ok != c.ok || ok && ns != c.want.UnixNano() {
			t.Errorf("%d s, %d ns: %s, %t", c.sec, c.nsec, time.Unix(0, ns), ok)
		}
	}
}

// Marks are few, in order, and never after what they are asked for.
func TestMarks(t *testing.T) {
	var m marks
	for d := uint32(0); d < 3_000_000; d += 3 {
		m.add(d)
	}
	if len(m.at) > maxMarks || !slices.IsSorted(m.at) {
		t.Errorf("%d marks, sorted %t", len(m.at), slices.IsSorted(m.at))
	}
	for _, d := range []uint32{0, 1, 1000, 2_999_999, 1 << 31} {
		at := m.before(d)
		if at > d || at%3 != 0 || d < 3_000_000 && d-at > 2*m.stride {
			t.Errorf("before %d: %d", d, at)
		}
	}
	if (&marks{}).before(7) != 0 {
		t.Error("no marks: not 0")
	}
}

// The ring has no beginning: distance and block are inverses of each other,
// wherever the log starts.
func TestRing(t *testing.T) {
	for _, g := range []geometry{{first: 1, last: 1024}, {first: 1, last: 1024, start: 1000}, {first: 3, last: 7, start: 6}, {first: 1, last: 1<<32 - 1, start: 1<<32 - 2}} {
		for _, d := range []uint32{0, 1, 2, g.ring() / 2, g.ring() - 1} {
			if n := g.block(d); n < g.first || n >= g.last || g.dist(n) != d {
				t.Errorf("%+v: distance %d is block %d, which is distance %d", g, d, n, g.dist(n))
			}
		}
	}
	g := geometry{first: 3, last: 7, start: 6}
	if got := fmt.Sprint(g.block(0), g.block(1), g.block(3)); got != "6 3 5" {
		t.Error(got)
	}
}

// Tids are compared across their wrap.
func TestTidOrder(t *testing.T) {
	if !after(0, 0xFFFFFFFF) || after(0xFFFFFFFF, 0) || after(5, 5) || !notBefore(5, 5) || !notBefore(1, 0xFFFFFFFE) {
		t.Error("wrong across the wrap")
	}
}
