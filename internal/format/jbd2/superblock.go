package jbd2

import (
	"fmt"
	"math/bits"

	"github.com/vexfs/vexctl/internal/format"
)

// Superblock, 1024 bytes; from 0x24 on in version 2 only:
//
//	0x00  12  header, type 3 or 4
//	0x0C   4  s_blocksize
//	0x10   4  s_maxlen, blocks with superblock and fast-commit area
//	0x14   4  s_first, first block of the ring
//	0x18   4  s_sequence, tid expected at s_start
//	0x1C   4  s_start, first live block; 0 = empty
//	0x20   4  s_errno, signed
//	0x24   4  s_feature_compat
//	0x28   4  s_feature_incompat
//	0x2C   4  s_feature_ro_compat
//	0x30  16  s_uuid, seeds the checksums
//	0x40   4  s_nr_users
//	0x44   4  s_dynsuper
//	0x48   4  s_max_transaction
//	0x4C   4  s_max_trans_data
//	0x50   1  s_checksum_type
//	0x54   4  s_num_fc_blks
//	0x58   4  s_head
//	0xFC   4  s_checksum
//	0x100 768 s_users, 48 x 16
type superblock struct {
	h                                header
	magicOK                          bool
	blockSize, maxLen, first         uint32
	sequence, start                  uint32
	errno                            int32
	compat, incompat, roCompat       uint32
	uuid                             [16]byte
	users                            uint32
	checksumType                     byte
	fcBlocks, head, stored, computed uint32
	// seed of the checksums, where it is known otherwise than from the UUID.
	seed *uint32
}

func parseSuper(b []byte) superblock {
	s := superblock{
		blockSize: be.Uint32(b[0x0C:]), maxLen: be.Uint32(b[0x10:]), first: be.Uint32(b[0x14:]),
		sequence: be.Uint32(b[0x18:]), start: be.Uint32(b[0x1C:]), errno: int32(be.Uint32(b[0x20:])),
	}
	s.h, s.magicOK = parseHeader(b)
	if s.h.typ == typeSuperV1 {
		return s
	}
	s.compat, s.incompat, s.roCompat = be.Uint32(b[0x24:]), be.Uint32(b[0x28:]), be.Uint32(b[0x2C:])
	copy(s.uuid[:], b[0x30:])
	s.users, s.checksumType = be.Uint32(b[0x40:]), b[0x50]
	s.fcBlocks, s.head = be.Uint32(b[0x54:]), be.Uint32(b[0x58:])
	s.stored, s.computed = superSum(b)
	return s
}

// isSuper says whether b starts like a journal superblock.
func isSuper(b []byte) bool {
	h, ok := parseHeader(b)
	return ok && (h.typ == typeSuperV1 || h.typ == typeSuperV2) && len(b) >= superSize
}

// looksLikeSuper says whether b is close enough to a journal superblock to be
// a damaged one: the type and the block size make sense, and the magic differs
// in a few bits at most, or everything else is as it should be.
func looksLikeSuper(b []byte) bool {
	if len(b) < superSize {
		return false
	}
	typ, bs := be.Uint32(b[4:]), be.Uint32(b[0x0C:])
	if typ != typeSuperV1 && typ != typeSuperV2 || !validBlockSize(bs) {
		return false
	}
	return bits.OnesCount32(be.Uint32(b)^magic) <= 4 || be.Uint32(b[0x14:]) == 1 && be.Uint32(b[0x10:]) >= minLogBlocks
}

func validBlockSize(bs uint32) bool {
	return bs >= minBlockSize && bs <= maxBlockSize && bs&(bs-1) == 0
}

func (s *superblock) hasCsum() bool { return s.incompat&(incompatCsumV2|incompatCsumV3) != 0 }

// unknownFeatures describes feature bits that forbid reading on, or "".
func (s *superblock) unknownFeatures() string {
	if x := s.incompat &^ incompatKnown; x != 0 {
		return fmt.Sprintf("incompatible features %#x", x)
	}
	if s.roCompat != 0 {
		return fmt.Sprintf("read-only compatible features %#x", s.roCompat)
	}
	return ""
}

// features names the feature bits, checksums first.
func (s *superblock) features() []string {
	var out []string
	if s.h.typ == typeSuperV1 {
		return []string{"v1"}
	}
	for _, f := range []struct {
		on   bool
		name string
	}{
		{s.incompat&incompatCsumV3 != 0, "csum_v3"},
		{s.incompat&incompatCsumV2 != 0, "csum_v2"},
		{s.compat&compatChecksum != 0, "checksum"},
		{s.incompat&incompat64Bit != 0, "64bit"},
		{s.incompat&incompatRevoke != 0, "revoke"},
		{s.incompat&incompatAsync != 0, "async_commit"},
		{s.incompat&incompatFastCommit != 0, "fast_commit"},
	} {
		if f.on {
			out = append(out, f.name)
		}
	}
	return out
}

// superFields decodes the superblock for people and programs.
func superFields(f *format.Fields, b []byte) {
	l := format.Layout{B: b, Order: be, Fields: f}
	l.X32("h_magic", 0)
	typ := l.U32("h_blocktype", 4)
	l.U32("h_sequence", 8)
	l.U32("s_blocksize", 0x0C)
	l.U32("s_maxlen", 0x10)
	l.U32("s_first", 0x14)
	l.U32("s_sequence", 0x18)
	l.U32("s_start", 0x1C)
	f.Int("s_errno", 0x20, 4, int64(int32(be.Uint32(b[0x20:]))))
	if typ == typeSuperV1 {
		return
	}
	l.X32("s_feature_compat", 0x24)
	l.X32("s_feature_incompat", 0x28)
	l.X32("s_feature_ro_compat", 0x2C)
	f.Str("s_uuid", 0x30, 16, uuidText(b[0x30:0x40]))
	users := l.U32("s_nr_users", 0x40)
	l.U32("s_dynsuper", 0x44)
	l.U32("s_max_transaction", 0x48)
	l.U32("s_max_trans_data", 0x4C)
	l.U8("s_checksum_type", 0x50)
	l.U32("s_num_fc_blks", 0x54)
	l.U32("s_head", 0x58)
	l.X32("s_checksum", superSumAt)
	var ids []string
	for i := range min(users, 48) {
		ids = append(ids, uuidText(b[0x100+16*i:][:16]))
	}
	if ids != nil {
		f.Texts("s_users", ids)
	}
}

func uuidText(b []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
