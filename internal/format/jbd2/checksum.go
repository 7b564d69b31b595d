package jbd2

import (
	"hash/crc32"

	"github.com/vexfs/vexctl/internal/format"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crc32c continues a CRC-32C register over b, without inverting it at either
// end as the usual CRC-32C does.
func crc32c(register uint32, b []byte) uint32 {
	return ^crc32.Update(^register, castagnoli, b)
}

// zeros stands for the bytes of a checksum field while it is summed.
var zeros [4]byte

// crc32cHole is crc32c over b as if the four bytes at hole were zero.
func crc32cHole(register uint32, b []byte, hole int) uint32 {
	register = crc32c(register, b[:hole])
	register = crc32c(register, zeros[:])
	return crc32c(register, b[hole+4:])
}

// superSum returns the superblock's checksum as stored and as computed.
func superSum(sb []byte) (stored, computed uint32) {
	return be.Uint32(sb[superSumAt:]), crc32cHole(0xFFFFFFFF, sb[:superSize], superSumAt)
}

// tailSum returns the checksum at the end of a descriptor or revoke block.
func (g *geometry) tailSum(b []byte) (stored, computed uint32) {
	at := len(b) - tailSize
	return be.Uint32(b[at:]), crc32cHole(g.seed, b, at)
}

// commitSum returns the checksum of a commit block.
func (g *geometry) commitSum(b []byte) (stored, computed uint32) {
	return be.Uint32(b[commitSumAt:]), crc32cHole(g.seed, b, commitSumAt)
}

// commitHolds reports whether a commit block counts for the kernel: its
// checksum is right, or (partial) would be if everything after its fields were
// zero. Kernels since 2024 take the second for a commit block of which only
// the first sector was written.
func (g *geometry) commitHolds(b []byte) (ok, partial bool) {
	stored, computed := g.commitSum(b)
	if stored == computed {
		return true, false
	}
	whole := make([]byte, len(b))
	copy(whole, b[:commitUsed])
	_, computed = g.commitSum(whole)
	return stored == computed, stored == computed
}

// tidSeed is the register from which the data checksums of a transaction start.
func (g *geometry) tidSeed(tid uint32) uint32 {
	var b [4]byte
	be.PutUint32(b[:], tid)
	return crc32c(g.seed, b[:])
}

// dataSum returns a logged block's checksum as stored in its tag and as
// computed, in the width that the tag has room for.
func (g *geometry) dataSum(seed uint32, t tag, stored []byte) (found, computed uint32) {
	c := crc32c(seed, stored)
	if g.csum == csumV2 {
		c &= 0xFFFF
	}
	return t.sum, c
}

// beTable drives the old compat checksum: CRC-32 with the bits in the order
// opposite to the usual one (polynomial 0x04C11DB7, most significant bit
// first), eight bytes a step.
var beTable = func() (t [8][256]uint32) {
	for i := range 256 {
		c := uint32(i) << 24
		for range 8 {
			c = c<<1 ^ 0x04C11DB7&-(c>>31)
		}
		t[0][i] = c
	}
	for i := range 256 {
		for k := 1; k < 8; k++ {
			c := t[k-1][i]
			t[k][i] = t[0][c>>24] ^ c<<8
		}
	}
	return t
}()

// crc32be continues the compat checksum over b.
func crc32be(c uint32, b []byte) uint32 {
	for ; len(b) >= 8; b = b[8:] {
		x, y := c^be.Uint32(b), be.Uint32(b[4:])
		c = beTable[7][x>>24] ^ beTable[6][x>>16&0xff] ^ beTable[5][x>>8&0xff] ^ beTable[4][x&0xff] ^
			beTable[3][y>>24] ^ beTable[2][y>>16&0xff] ^ beTable[1][y>>8&0xff] ^ beTable[0][y&0xff]
	}
	for _, x := range b {
		c = beTable[0][byte(c>>24)^x] ^ c<<8
	}
	return c
}

// noteSums completes a fault with both sums and, where one bit explains the
// difference, that bit. block starts at the fault's offset.
func noteSums(f *format.Fault, block []byte, sumAt int, stored, computed uint32) {
	f.Sums(uint64(stored), uint64(computed), 4)
	f.Flip(castagnoli, block, sumAt, be, computed, stored)
}
