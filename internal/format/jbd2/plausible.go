package jbd2

import (
	"fmt"

	"github.com/vexfs/vexctl/internal/ext4"
	"github.com/vexfs/vexctl/internal/format"
)

// extMagic is s_magic of an ext filesystem.
const extMagic = 0xEF53

// implausible says what is wrong with the contents of a logged block that the
// filesystem keeps in a fixed place, or "". Where there are no checksums this is
// all that shows a damaged block. Only places that never serve anything else
// are looked at, and only what no kernel writes is reported.
func (j *Journal) implausible(l *live, t tag, b []byte) (why string) {
	typ, group := j.learn(l).Static(t.block)
	j.withPayload(t, b, func() {
		switch typ {
		case "superblock":
			why = j.implausibleSuper(t.block, b)
		case "group-descriptors":
			why = implausibleDescriptors(&j.fs.Super, j.fsBlocks(l), b)
		case "inode-bitmap":
			why = implausibleInodeBitmap(&j.fs.Super, b)
		case "inode-table":
			why = implausibleInodes(&j.fs.Super, b)
		}
	})
	if why != "" {
		why = fmt.Sprintf("block %d is %s of group %d, but %s", t.block, typ, group, why)
	}
	return why
}

func (j *Journal) implausibleSuper(block uint64, b []byte) string {
	at := 0
	if block == 0 && len(b) > superSize {
		at = 1024
	}
	const magicAt = 0x38
	if got := le.Uint16(b[at+magicAt:]); got != extMagic {
		return fmt.Sprintf("its magic is %#04x", got)
	}
	return ""
}

// implausibleDescriptors looks at the pointers to block bitmap, inode bitmap
// and inode table in 32- and 64-byte group descriptors. A block of descriptors
// has at least one group to describe.
func implausibleDescriptors(s *ext4.Super, blocks uint64, b []byte) string {
	for at := 0; at+s.DescSize <= len(b); at += s.DescSize {
		for i := 0; i < 12; i += 4 {
			p := uint64(le.Uint32(b[at+i:]))
			if s.DescSize >= 64 {
				p |= uint64(le.Uint32(b[at+32+i:])) << 32
			}
			if p >= blocks || p == 0 && at == 0 {
				return fmt.Sprintf("a descriptor in it points to block %d", p)
			}
		}
	}
	return ""
}

// implausibleInodeBitmap: the bits after a group's last inode are always set.
func implausibleInodeBitmap(s *ext4.Super, b []byte) string {
	if int(s.InodesPerGroup)/8 < len(b) && b[len(b)-1] != 0xff {
		return "the bits after its last inode are not set"
	}
	return ""
}

// implausibleInodes looks at the inodes in use: their type, and the root of
// their extent tree. A block of inodes is logged because one of them changed,
// and a deleted inode keeps its mode and gets a time of deletion, so the block
// is never all zeros.
func implausibleInodes(s *ext4.Super, b []byte) string {
	const flagExtents, extentMagic = 0x80000, 0xF30A
	if format.IsZero(b) {
		return "there is nothing in it"
	}
	for at := 0; at+s.InodeSize <= len(b); at += s.InodeSize {
		mode, links := le.Uint16(b[at:]), le.Uint16(b[at+26:])
		if mode == 0 || links == 0 {
			continue
		}
		switch mode >> 12 {
		case 1, 2, 4, 6, 8, 10, 12:
		default:
			return fmt.Sprintf("an inode in it has mode %#o", mode)
		}
		if s.InodeSize > 128 && int(le.Uint16(b[at+128:])) > s.InodeSize-128 {
			return "an inode in it claims more than its size"
		}
		if typ := mode >> 12; (typ == 4 || typ == 8) && le.Uint32(b[at+32:])&flagExtents != 0 && le.Uint16(b[at+40:]) != extentMagic {
			return "an inode in it has no extent tree where its flags say so"
		}
	}
	return ""
}
