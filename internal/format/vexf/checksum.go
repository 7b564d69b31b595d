package vexf

import (
	"bytes"
	"crypto/sha256"
	"hash/crc32"
)

// Sum is the checksum of VEXF: the reflected IEEE CRC-32 whose register starts
// as seed and is inverted neither before nor after.
func Sum(seed uint32, data []byte) uint32 {
	return ^crc32.Update(^seed, crc32.IEEETable, data)
}

var zeros [MaxBlockSize]byte

// blockSum is the sum of a log block, whose own field counts as zero.
func blockSum(b []byte) uint32 {
	c := Sum(0, b[:hdrChecksum])
	c = Sum(c, zeros[:4])
	return Sum(c, b[hdrFlags:len(b)-sumTail])
}

// goodSum reports whether a whole block carries its own sum.
func goodSum(b []byte) bool { return le.Uint32(b[hdrChecksum:]) == blockSum(b) }

// listSum is the sum over a list of block numbers as they are on disk.
func listSum(tid uint64, list []byte) uint32 { return Sum(uint32(tid), list) }

// unstep maps the high byte of a CRC register to the table entry that put it
// there, which lets the register run backward.
var unstep = func() (t [256]byte) {
	for i, v := range crc32.IEEETable {
		t[v>>24] = byte(i)
	}
	return t
}()

// rewind takes the bytes of data, last one first, out of a CRC register.
func rewind(reg uint32, data []byte) uint32 {
	for i := len(data) - 1; i >= 0; i-- {
		at := unstep[reg>>24]
		reg = (reg^crc32.IEEETable[at])<<8 | uint32(at^data[i])
	}
	return reg
}

// impliedPrevious returns the one value that the superblock's sum field must
// have held when the sum that is there now was made.
func impliedPrevious(b []byte) uint32 {
	reg := rewind(le.Uint32(b[sbChecksum:]), b[sbChecksum+4:sbSumEnd])
	// Four bytes enter the register as if they had been mixed into it before
	// four zero bytes were: without the zeros, what is left is the mix.
	return rewind(reg, zeros[:4]) ^ Sum(0, b[:sbChecksum])
}

// structSHA is the SHA-256 of the first end bytes of a checkpoint or barrier,
// made while both sum fields were zero.
func structSHA(b []byte, end int) [32]byte {
	var c [cpSHAEnd]byte
	copy(c[:end], b)
	clear(c[hdrChecksum:hdrFlags])
	clear(c[hdrSHA256 : hdrSHA256+32])
	return sha256.Sum256(c[:end])
}

// shaEnd is how many bytes the SHA-256 of a checkpoint or barrier covers.
func shaEnd(t Type) int {
	if t == TypeBarrier {
		return barrierSHAEnd
	}
	return cpSHAEnd
}

func goodStructSHA(b []byte, t Type) bool {
	want := structSHA(b, shaEnd(t))
	return bytes.Equal(b[hdrSHA256:hdrSHA256+32], want[:])
}

// dataSHA is the SHA-256 of the stored part of a logged block, followed by
// tail zero bytes.
func dataSHA(stored []byte, tail int) (sum [32]byte) {
	h := sha256.New()
	h.Write(stored)
	h.Write(zeros[:tail])
	h.Sum(sum[:0])
	return sum
}

// States of a SHA-256 or of the superblock's sum, as they are shown.
const (
	StateOK       = "ok"
	StateAbsent   = "absent"
	StateMismatch = "mismatch"
	// StateZeroTail and StateStored say over what a logged block's SHA-256 was
	// made: the stored bytes and zeros for the lost ones, or the former alone.
	StateZeroTail = "zero-tail"
	StateStored   = "stored"
	// StateFresh, StateChained and StateInPlace say what the superblock's sum
	// field held when the sum was made: zero, something else, the sum itself.
	StateFresh   = "fresh"
	StateChained = "chained"
	StateInPlace = "in-place"
)

// dataSHAState compares the SHA-256 of a logged block.
func dataSHAState(b []byte) string {
	found := [32]byte(b[hdrSHA256:])
	stored := b[dataBytes:]
	switch found {
	case dataSHA(stored, dataBytes):
		return StateZeroTail
	case dataSHA(stored, 0):
		return StateStored
	}
	return StateMismatch
}
