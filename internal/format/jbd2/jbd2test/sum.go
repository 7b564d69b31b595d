package jbd2test

// The two polynomials: Castagnoli's with its bits reversed, and the old CRC-32
// with them in order.
const (
	polyC  = 0x82F63B78
	polyBE = 0x04C11DB7
)

var tableC, tableBE = func() (c, b [256]uint32) {
	for i := range uint32(256) {
		x, y := i, i<<24
		for range 8 {
			if x&1 != 0 {
				x = x>>1 ^ polyC
			} else {
				x >>= 1
			}
			if y>>31 != 0 {
				y = y<<1 ^ polyBE
			} else {
				y <<= 1
			}
		}
		c[i], b[i] = x, y
	}
	return c, b
}()

// CRC32C continues a CRC-32C register over b; nothing is inverted.
func CRC32C(register uint32, b []byte) uint32 {
	for _, x := range b {
		register = register>>8 ^ tableC[byte(register)^x]
	}
	return register
}

// CRC32BE continues the register of the old transaction checksum over b.
func CRC32BE(register uint32, b []byte) uint32 {
	for _, x := range b {
		register = register<<8 ^ tableBE[byte(register>>24)^x]
	}
	return register
}

const fresh = 0xFFFFFFFF

// without returns the register over b with the four bytes at hole as zeros.
func without(register uint32, b []byte, hole int) uint32 {
	register = CRC32C(register, b[:hole])
	register = CRC32C(register, make([]byte, 4))
	return CRC32C(register, b[hole+4:])
}
