package jbd2test

import "encoding/binary"

var be, le = binary.BigEndian, binary.LittleEndian

// Magic begins every block of the journal that is not data.
const Magic = 0xC03B3998

// Block types.
const (
	Descriptor = 1
	Commit     = 2
	SuperV1    = 3
	SuperV2    = 4
	Revoke     = 5
)

const (
	flagEscape   = 1
	flagSameUUID = 2
	flagLast     = 8
)

// dialect is how one journal is laid out.
type dialect struct {
	bs          int
	sums        Sums
	bits64      bool
	first, last uint32
	fastFirst   uint32
	end         uint32
	seed        uint32
}

func (d *dialect) sealed() bool { return d.sums >= V2 }

// tagSize is from the table in section 4 of the format's page.
func (d *dialect) tagSize() int {
	return map[Sums][2]int{None: {8, 12}, Compat: {8, 12}, V2: {10, 14}, V3: {16, 16}}[d.sums][map[bool]int{false: 0, true: 1}[d.bits64]]
}

// room is the end of the tags, or revokes, in a block.
func (d *dialect) room() int {
	if d.sealed() {
		return d.bs - 4
	}
	return d.bs
}

func (d *dialect) next(block uint32) uint32 {
	if block+1 >= d.last {
		return d.first
	}
	return block + 1
}

// sealTail writes the checksum of a descriptor or revoke block.
func (d *dialect) sealTail(b []byte, seed uint32) {
	if d.sealed() {
		be.PutUint32(b[d.bs-4:], without(seed, b, d.bs-4))
	}
}

// sealCommit writes the checksum of a commit block; compat is that of the
// transaction.
func (d *dialect) sealCommit(b []byte, seed, compat uint32) {
	switch {
	case d.sealed():
		be.PutUint32(b[16:], without(seed, b, 16))
	case d.sums == Compat:
		b[12], b[13] = 1, 4
		be.PutUint32(b[16:], compat)
	}
}

// sealTag writes the checksum of a logged block into its tag.
func (d *dialect) sealTag(tag, stored []byte, seed, tid uint32) {
	if !d.sealed() {
		return
	}
	sum := CRC32C(CRC32C(seed, be.AppendUint32(nil, tid)), stored)
	if d.sums == V3 {
		be.PutUint32(tag[12:], sum)
	} else {
		be.PutUint16(tag[4:], uint16(sum))
	}
}

// tagFlags reads a tag's flags, which have one place in all layouts.
func tagFlags(tag []byte) uint16 { return be.Uint16(tag[6:]) }
