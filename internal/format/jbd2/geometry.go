package jbd2

import "fmt"

type csumVersion uint8

const (
	csumNone   csumVersion = iota
	csumCompat             // one CRC-32 a transaction, in its commit block
	csumV2                 // CRC-32C of every block, 16 bits of it for data
	csumV3                 // CRC-32C of every block
)

// geometry is what is needed to read the ring: sizes, positions, tag layout.
type geometry struct {
	blockSize   int
	superBlock  uint32 // journal block that holds the superblock
	first, last uint32 // the ring is [first, last)
	fcFirst     uint32 // the fast-commit area is [fcFirst, fcEnd); empty when equal
	fcEnd       uint32
	blocks      uint32 // blocks of the journal, as far as they exist
	sequence    uint32 // tid expected at start
	start       uint32 // 0: empty log
	csum        csumVersion
	bits64      bool
	async       bool
	tagBytes    int
	seed        uint32
}

// ring is the number of blocks in the ring.
func (g *geometry) ring() uint32 { return g.last - g.first }

// block returns the journal block that lies dist blocks after the tail, or
// after the ring's first block when the log is empty.
func (g *geometry) block(dist uint32) uint32 {
	return g.first + uint32((uint64(g.origin()-g.first)+uint64(dist))%uint64(g.ring()))
}

// dist is the inverse of block.
func (g *geometry) dist(block uint32) uint32 {
	return uint32((uint64(block-g.first) + uint64(g.ring()) - uint64(g.origin()-g.first)) % uint64(g.ring()))
}

// origin is where log order begins.
func (g *geometry) origin() uint32 {
	if g.start == 0 {
		return g.first
	}
	return g.start
}

func (g *geometry) off(block uint32) int64 { return int64(block) * int64(g.blockSize) }

// complaint is something about a superblock that makes the kernel refuse it.
type complaint struct{ code, text string }

// newGeometry derives the geometry from a superblock in journal block at. size
// is the journal's length in bytes. It takes what makes sense and replaces what
// does not; each replacement is described in the list it returns, because the
// kernel refuses a journal with any of them. fsBlockSize is 0 when unknown.
func newGeometry(s *superblock, at uint32, size int64, fsBlockSize int) (geometry, []complaint) {
	g := geometry{superBlock: at, sequence: s.sequence, start: s.start}
	var bad []complaint
	complain := func(format string, args ...any) {
		bad = append(bad, complaint{CodeSuperGeometry, fmt.Sprintf(format, args...)})
	}

	g.blockSize = int(s.blockSize)
	switch {
	case fsBlockSize != 0 && fsBlockSize != g.blockSize:
		complain("s_blocksize is %d, the filesystem's is %d", s.blockSize, fsBlockSize)
		g.blockSize = fsBlockSize
	case !validBlockSize(s.blockSize):
		complain("s_blocksize is %d", s.blockSize)
		g.blockSize = 4096
	}
	if real := uint32(min(size/int64(g.blockSize), 1<<32-1)); s.maxLen > real {
		bad = append(bad, complaint{CodeTruncated, fmt.Sprintf("s_maxlen claims %d blocks, there are %d", s.maxLen, real)})
	}
	g.setLength(s, size, complain)
	g.setRing(s, complain)
	g.setFeatures(s, complain)
	return g, bad
}

// setLength decides how many blocks the journal has.
func (g *geometry) setLength(s *superblock, size int64, complain func(string, ...any)) {
	real := uint32(min(size/int64(g.blockSize), 1<<32-1))
	g.blocks = min(s.maxLen, real)
	if s.maxLen < minLogBlocks {
		complain("s_maxlen is %d blocks, less than %d", s.maxLen, minLogBlocks)
		g.blocks = real
	}
}

// setRing places the ring and the fast-commit area.
func (g *geometry) setRing(s *superblock, complain func(string, ...any)) {
	end := max(g.blocks, g.superBlock+1)
	g.last, g.fcFirst, g.fcEnd = end, end, end
	if s.incompat&incompatFastCommit != 0 {
		n := s.fcBlocks
		if n == 0 {
			n = defaultFCBlks
		}
		// The block between the ring and the area belongs to neither.
		if end >= minLogBlocks && n <= end-minLogBlocks {
			g.last = end - n
			g.fcFirst = min(g.last+1, end)
		}
	}
	g.first = s.first
	if lowest := g.superBlock + 1; s.first < lowest || s.first >= g.last {
		complain("s_first is %d, outside the journal", s.first)
		g.first = min(lowest, g.last)
	}
	if s.start != 0 && (s.start < g.first || s.start >= g.last) {
		complain("s_start is %d, outside the ring of blocks %d to %d", s.start, g.first, int64(g.last)-1)
		g.start = 0
	}
	if g.first >= g.last {
		g.start = 0
	}
}

// setFeatures chooses checksums and tag layout.
func (g *geometry) setFeatures(s *superblock, complain func(string, ...any)) {
	v2, v3 := s.incompat&incompatCsumV2 != 0, s.incompat&incompatCsumV3 != 0
	switch {
	case v2 && v3:
		complain("checksums of version 2 and 3 are both on")
	case (v2 || v3) && s.compat&compatChecksum != 0:
		complain("the old checksum is on together with version 2 or 3")
	}
	switch {
	case v3:
		g.csum = csumV3
	case v2:
		g.csum = csumV2
	case s.compat&compatChecksum != 0:
		g.csum = csumCompat
	}
	if (v2 || v3) && s.checksumType != checksumCRC32C {
		complain("s_checksum_type is %d; only %d (CRC-32C) exists", s.checksumType, checksumCRC32C)
	}
	g.bits64 = s.incompat&incompat64Bit != 0
	g.async = s.incompat&incompatAsync != 0
	g.tagBytes = g.tagSize()
	g.seed = crc32c(0xFFFFFFFF, s.uuid[:])
	if s.seed != nil {
		g.seed = *s.seed
	}
}

// sealed says whether descriptor, revoke, commit and data blocks carry CRC-32C.
func (g *geometry) sealed() bool { return g.csum >= csumV2 }

// tail is the number of bytes that a checksum takes at the end of a descriptor
// or revoke block.
func (g *geometry) tail() int {
	if g.sealed() {
		return tailSize
	}
	return 0
}
