package semj

import "hash/crc32"

var (
	crcTable = crc32.IEEETable
	zero4    [4]byte
)

// update continues VexFS's CRC: the register of the reflected IEEE polynomial
// with no inversion at either end, which Go's function applies.
func update(seed uint32, b []byte) uint32 { return ^crc32.Update(^seed, crcTable, b) }

// sumWithout is the sum of b with seed 0, as if its four bytes at hole were
// zero: where the sum itself is kept.
func sumWithout(b []byte, hole int) uint32 {
	s := update(0, b[:hole])
	s = update(s, zero4[:])
	return update(s, b[hole+4:])
}
