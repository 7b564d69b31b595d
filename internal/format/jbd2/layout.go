package jbd2

import "encoding/binary"

// All fields are big-endian, but for the fast-commit area.
var be = binary.BigEndian

// Header of every block that is not data, 12 bytes:
//
//	0  4  magic C0 3B 39 98
//	4  4  block type
//	8  4  tid
const (
	magic      = 0xC03B3998
	headerSize = 12
)

// Block types.
const (
	typeDescriptor = 1
	typeCommit     = 2
	typeSuperV1    = 3
	typeSuperV2    = 4
	typeRevoke     = 5
)

// Feature bits of a version 2 superblock.
const (
	compatChecksum = 0x1

	incompatRevoke     = 0x01
	incompat64Bit      = 0x02
	incompatAsync      = 0x04
	incompatCsumV2     = 0x08
	incompatCsumV3     = 0x10
	incompatFastCommit = 0x20
	incompatKnown      = 0x3f
)

// Tag flags.
const (
	flagEscape   = 1 // the block began with the magic; it is stored with zeros there
	flagSameUUID = 2 // no UUID follows the tag
	flagDeleted  = 4 // defined, never written
	flagLastTag  = 8 // the descriptor's last tag
)

const (
	superSize      = 1024
	superSumAt     = 0xFC
	checksumCRC32C = 4 // s_checksum_type, the only one allowed with csum v2 and v3
	minLogBlocks   = 1024
	defaultFCBlks  = 256
	commitSumAt    = 16
	commitUsed     = 60 // bytes of a commit block that mean something
	revokeHead     = 16
	tailSize       = 4
	uuidSize       = 16
	minBlockSize   = 1024
	maxBlockSize   = 65536
)

// header is the first 12 bytes of a journal block.
type header struct {
	typ, tid uint32
}

// parseHeader reads a header; ok says that the magic is there.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < headerSize || be.Uint32(b) != magic {
		return header{}, false
	}
	return header{be.Uint32(b[4:]), be.Uint32(b[8:])}, true
}

// isLogType says whether a block type occurs in the log.
func isLogType(t uint32) bool {
	return t == typeDescriptor || t == typeCommit || t == typeRevoke
}

// after says whether tid a comes after b; tids wrap from 0xFFFFFFFF to 0.
func after(a, b uint32) bool { return int32(a-b) > 0 }

// notBefore says whether tid a is b or comes after it.
func notBefore(a, b uint32) bool { return int32(a-b) >= 0 }
