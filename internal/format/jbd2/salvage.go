package jbd2

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"github.com/vexfs/vexctl/internal/ext4"
	"github.com/vexfs/vexctl/internal/format"
)

const (
	sector = 512
	// salvageReach is how far a headless journal is searched for its blocks,
	// and embeddedReach how far a disk without a filesystem for a journal.
	salvageReach  = 8 << 20
	embeddedReach = 1 << 30
	// salvageHeaders is how many blocks it takes to believe in a journal.
	salvageHeaders = 2
	// salvageVotes is how many descriptor blocks decide on the tag layout.
	salvageVotes = 64
)

// salvage opens a journal that nothing leads to any more: one whose superblock
// is somewhere in the file, or a bare one whose superblock is gone.
func salvage(ctx context.Context, src format.Source) (format.Journal, error) {
	j, err := embedded(ctx, src)
	if j != nil || err != nil {
		return j, err
	}
	// All headers lie at multiples of the block size.
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
	o := opening{bs: 1 << min(bits.TrailingZeros64(uint64(offs)), 16), where: "a file with a destroyed journal superblock"}
	s := guess(src, o)
	o.guess = &s
	return open(src, o)
}

// embedded looks for a journal superblock anywhere in a file that holds no
// filesystem (any more). Without an inode nobody knows the journal's extents;
// it is taken to be in one piece, and the fault says so.
func embedded(ctx context.Context, src format.Source) (format.Journal, error) {
	w := format.NewWindow(src, 1<<20)
	for off := int64(0); off < min(src.Size(), embeddedReach); off += sector {
		off = format.NextData(src, off) / sector * sector
		if off&(1<<20-1) == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		b, err := w.At(off, superSize)
		if err != nil || !isSuper(b) {
			off += badStretch(err)
			continue
		}
		s := parseSuper(b)
		length := int64(s.maxLen) * int64(s.blockSize)
		if !validBlockSize(s.blockSize) || s.maxLen < minLogBlocks || s.hasCsum() && s.stored != s.computed {
			continue
		}
		if j := around(src, off); j != nil {
			return j, nil
		}
		view := format.Section(src, off, min(length, src.Size()-off))
		lost := format.Fault{Code: ext4.FaultSuper, Offset: 1024, Length: superSize, FlipOffset: -1,
			Message: fmt.Sprintf("there is no filesystem superblock, nor a backup of one; the journal was found by searching, at byte %d, and is taken to be in one piece", off)}
		j, err := open(view, opening{where: fmt.Sprintf("at byte %d of a file without a filesystem", off), found: []format.Fault{lost}, bs: int(s.blockSize)})
		if err == nil {
			return j, nil
		}
	}
	return nil, nil
}

// around looks for a filesystem that begins somewhere before its journal, at
// journalAt, and returns the journal that it leads to.
func around(src format.Source, journalAt int64) format.Journal {
	const magicAt, most = 1024 + 0x38, 64
	w := format.NewWindow(src, 1<<20)
	tried := 0
	for base := int64(0); base < journalAt && tried < most; base += sector {
		base = max(base, (format.NextData(src, base+magicAt)-magicAt)/sector*sector)
		b, err := w.At(base+magicAt, 2)
		if err != nil || le.Uint16(b) != extMagic {
			continue
		}
		tried++
		view := format.Section(src, base, src.Size()-base)
		fs, err := ext4.Open(view)
		if err != nil || fs.Backup >= 0 {
			continue
		}
		found, err := findInFilesystem(view, fs, format.Options{})
		if err != nil {
			continue
		}
		if j := found.(*Journal); j.Source().Size() > 0 && format.Place(j.src, 0) == journalAt {
			j.where = fmt.Sprintf("%s at byte %d", j.where, base)
			return j
		}
	}
	return nil
}

// badStretch is how far a search goes on after a failed read: a dying disk
// takes seconds for each.
func badStretch(err error) int64 {
	if err == nil || errors.Is(err, format.ErrTruncated) {
		return 0
	}
	return 1 << 16
}

// eachHeader visits the log headers at multiples of step in the first reach
// bytes.
func eachHeader(src format.Source, step int, reach int64, visit func(off int64, h header) bool) {
	w := format.NewWindow(src, 1<<18)
	for off := int64(0); off < min(src.Size(), reach); off += int64(step) {
		b, err := w.At(off, headerSize)
		if err != nil {
			off += badStretch(err)
			continue
		}
		if h, ok := parseHeader(b); ok && isLogType(h.typ) && !visit(off, h) {
			return
		}
	}
}

// guess makes up a superblock for a journal that has none: the block size is
// the filesystem's, the first tid the oldest there is, and checksums, tag
// layout and checksum seed are those under which most descriptor blocks make
// sense.
func guess(src format.Source, o opening) superblock {
	s := superblock{h: header{typ: typeSuperV2}, blockSize: uint32(o.bs), first: o.at + 1,
		maxLen: uint32(min(src.Size()/int64(o.bs), 1<<32-1)), checksumType: checksumCRC32C}
	if o.fs != nil {
		s.uuid = o.fs.Super.UUID
	}
	first := true
	eachHeader(src, o.bs, salvageReach, func(_ int64, h header) bool {
		if first || after(s.sequence, h.tid) {
			s.sequence, first = h.tid, false
		}
		return true
	})
	best := superblock{}
	most := -1
	for _, incompat := range []uint32{incompatCsumV3 | incompat64Bit, incompatCsumV3, 0, incompat64Bit, incompatCsumV2 | incompat64Bit, incompatCsumV2} {
		t := s
		t.incompat = incompat
		if n := votes(src, &t, o); n > most {
			most, best = n, t
		}
	}
	return best
}

// votes counts the descriptor blocks that make sense under superblock s: they
// are followed by as many blocks as they claim, and their checksum is right.
// The checksum's seed comes from the first block that tells; that another one
// agrees is proof.
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
		src.ReadAt(next, off+int64(g.blockSize)*int64(1+len(tags)))
		follower, ok := parseHeader(next)
		if complete && ok && follower.tid == h.tid {
			n++
			if g.sealed() && s.seed == nil {
				at := len(b) - tailSize
				seed := unwind(unwind(be.Uint32(b[at:]), zeros[:]), b[:at])
				s.seed, g.seed = &seed, seed
			}
		}
		if g.sealed() {
			if stored, computed := g.tailSum(b); stored == computed {
				n += 2
			}
		}
		seen++
		return seen < salvageVotes
	})
	return n
}

// unwind returns the CRC-32C register from which summing b leads to register.
// A checksum is a bijection of its seed, so one block with a right checksum
// gives the seed of a journal whose UUID is lost.
func unwind(register uint32, b []byte) uint32 {
	for i := len(b) - 1; i >= 0; i-- {
		k := castagnoliTop[register>>24]
		register = (register^castagnoli[k])<<8 | uint32(k^b[i])
	}
	return register
}

// castagnoliTop inverts the CRC table by the top byte of its entries, which
// are all different.
var castagnoliTop = func() (t [256]byte) {
	for i, v := range castagnoli {
		t[v>>24] = byte(i)
	}
	return t
}()
