package ext4

import (
	"encoding/binary"
	"hash/crc32"
)

var (
	le         = binary.LittleEndian
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// crc32c continues a sum the way the filesystem does: without the inversions
// that hash/crc32 makes before and after.
func crc32c(sum uint32, b []byte) uint32 { return ^crc32.Update(^sum, castagnoli, b) }

// crc32c32 continues a sum over a number.
func crc32c32(sum, v uint32) uint32 {
	var b [4]byte
	le.PutUint32(b[:], v)
	return crc32c(sum, b[:])
}

// inodeSeed is what the sums of an inode, its directory blocks and its extent
// blocks start from.
func (s *Super) inodeSeed(ino, generation uint32) uint32 {
	return crc32c32(crc32c32(s.seed, ino), generation)
}

var noBytes [8]byte

// sumWithout continues a sum over b as if the n bytes at each of the places,
// which are in order, were zero.
func sumWithout(sum uint32, b []byte, n int, places ...int) uint32 {
	at := 0
	for _, p := range places {
		sum = crc32c(sum, b[at:p])
		sum = crc32c(sum, noBytes[:n])
		at = p + n
	}
	return crc32c(sum, b[at:])
}
