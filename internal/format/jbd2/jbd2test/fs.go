package jbd2test

// Where an embedded journal begins and what surrounds it, in filesystem blocks.
const (
	JournalAt   = 64
	tableAt     = 8
	inodeSize   = 256
	groupInodes = 16
)

// Embed wraps a journal in just enough of an ext4 filesystem of the given
// number of blocks that it is found through inode 8, in one extent that begins
// at block [JournalAt]. The filesystem is marked as needing recovery.
func (im *Image) Embed(blocks uint32) []byte {
	b := make([]byte, int(blocks)*im.BlockSize)
	im.writeExt(b, blocks)
	sb := b[1024:]
	le.PutUint32(sb[0xE0:], 8)
	gdt := b[im.BlockSize:]
	if im.BlockSize == 1024 {
		gdt = b[2048:]
	}
	le.PutUint32(gdt[0:], 4)
	le.PutUint32(gdt[4:], 5)
	le.PutUint32(gdt[8:], tableAt)
	inode := b[tableAt*im.BlockSize+7*inodeSize:]
	le.PutUint16(inode, 0o100600)
	le.PutUint32(inode[4:], uint32(len(im.Bytes)))
	le.PutUint16(inode[0x1A:], 1)
	le.PutUint32(inode[0x20:], 0x80000)
	root := inode[0x28:]
	le.PutUint16(root, 0xF30A)
	le.PutUint16(root[2:], 1)
	le.PutUint16(root[4:], 4)
	le.PutUint16(root[16:], uint16(im.Blocks))
	le.PutUint32(root[20:], JournalAt)
	copy(b[JournalAt*im.BlockSize:], im.Bytes)
	return b
}

// Filesystem is the beginning of an ext4 filesystem of the given number of
// blocks that keeps its journal on the device im.
func (im *Image) Filesystem(blocks uint32) []byte {
	b := make([]byte, 16*im.BlockSize)
	im.writeExt(b, blocks)
	copy(b[1024+0xD0:], im.UUID[:])
	return b
}

// writeExt writes a superblock without checksum.
func (im *Image) writeExt(b []byte, blocks uint32) {
	sb := b[1024:2048]
	groups := int((uint64(blocks) + 8*uint64(im.BlockSize) - 1) / (8 * uint64(im.BlockSize)))
	le.PutUint32(sb, uint32(groups*groupInodes))
	le.PutUint32(sb[4:], blocks)
	log, first := uint32(0), uint32(0)
	for 1024<<log < im.BlockSize {
		log++
	}
	if log == 0 {
		first = 1
	}
	le.PutUint32(sb[0x14:], first)
	le.PutUint32(sb[0x18:], log)
	le.PutUint32(sb[0x1C:], log)
	le.PutUint32(sb[0x20:], uint32(im.BlockSize*8))
	le.PutUint32(sb[0x24:], uint32(im.BlockSize*8))
	le.PutUint32(sb[0x28:], groupInodes)
	le.PutUint16(sb[0x38:], 0xEF53)
	le.PutUint16(sb[0x3A:], 1)
	le.PutUint32(sb[0x4C:], 1)
	le.PutUint16(sb[0x58:], inodeSize)
	le.PutUint32(sb[0x5C:], 0x4)  // has_journal
	le.PutUint32(sb[0x60:], 0x44) // extents, needs_recovery
}

// Recovered clears the filesystem's needs_recovery flag.
func Recovered(fs []byte) {
	sb := fs[1024:]
	le.PutUint32(sb[0x60:], le.Uint32(sb[0x60:])&^4)
}
