package jbd2

import (
	"math/bits"

	"github.com/vexfs/vexctl/internal/format"
)

const (
	// salvageReach is how far a headless journal is searched for its blocks.
	salvageReach = 8 << 20
	// salvageHeaders is how many of them it takes to believe in a journal.
	salvageHeaders = 2
)

// salvage opens a bare journal whose superblock is gone. The block size is the
// distance that all header blocks found are multiples of.
func salvage(src format.Source) (format.Journal, error) {
	var offs int64
	n := 0
	eachHeader(src, minBlockSize, salvageReach, func(off int64, _ header) bool {
		offs |= off
		n++
		return n < 4096
	})
	if n < salvageHeaders || offs == 0 {
		return nil, format.Unknown(src, "there is no jbd2 journal, no ext filesystem and no partition table")
	}
	bs := int64(1) << min(bits.TrailingZeros64(uint64(offs)), 16)
	s := guess(src, opening{bs: int(bs)})
	return open(src, opening{guess: &s, where: "a file with a destroyed journal superblock"})
}

// eachHeader visits the log headers at multiples of step in the first reach
// bytes.
func eachHeader(src format.Source, step int, reach int64, visit func(off int64, h header) bool) {
	w := format.NewWindow(src, 1<<18)
	for off := int64(0); off < min(src.Size(), reach); off += int64(step) {
		b, err := w.At(off, headerSize)
		if err != nil {
			continue
		}
		if h, ok := parseHeader(b); ok && isLogType(h.typ) && !visit(off, h) {
			return
		}
	}
}

// guess makes up a superblock for a journal that has none: block size and UUID
// from the filesystem, and the checksums and tag layout under which most
// descriptor blocks make sense.
func guess(src format.Source, o opening) superblock {
	s := superblock{h: header{typ: typeSuperV2}, blockSize: uint32(o.bs), first: o.at + 1,
		maxLen: uint32(min(src.Size()/int64(o.bs), 1<<32-1)), checksumType: checksumCRC32C}
	if o.fs != nil {
		s.uuid = o.fs.Super.UUID
	}
	best := -1
	for _, incompat := range []uint32{incompatCsumV3 | incompat64Bit, incompatCsumV3, 0, incompat64Bit, incompatCsumV2 | incompat64Bit, incompatCsumV2} {
		t := s
		t.incompat = incompat
		if n := votes(src, &t, o); n > best {
			best, s.incompat = n, incompat
		}
	}
	return s
}

// votes counts the descriptor blocks that make sense under superblock s: their
// checksum is right, or they have none and are followed by as many blocks as
// they claim.
func votes(src format.Source, s *superblock, o opening) int {
	g, _ := newGeometry(s, o.at, src.Size(), o.bs)
	n, seen := 0, 0
	b := make([]byte, g.blockSize)
	next := make([]byte, headerSize)
	eachHeader(src, g.blockSize, salvageReach, func(off int64, h header) bool {
		if h.typ != typeDescriptor {
			return true
		}
		if m, _ := src.ReadAt(b, off); m < len(b) {
			return false
		}
		tags, complete := g.tags(nil, b)
		after := off + int64(g.blockSize)*int64(1+len(tags))
		src.ReadAt(next, after)
		nh, ok := parseHeader(next)
		if complete && ok && nh.tid == h.tid {
			n++
		}
		if g.sealed() {
			if stored, computed := g.tailSum(b); stored == computed {
				n += 2
			}
		}
		seen++
		return seen < 64
	})
	return n
}
