package ext4

import "bytes"

// image builds a small filesystem by hand: blocks of 1 KiB, one group.
//
//	1 superblock   3 block bitmap   5-8  inode table: 32 inodes of 128 bytes
//	2 descriptors  4 inode bitmap   16   first block of the journal
type image struct {
	b    []byte
	sums bool
}

const (
	imageBlocks  = 2048
	journalAt    = 16
	journalSize  = 1024 // blocks
	journalInode = 5*1024 + 7*128
)

func newImage(sums bool) *image {
	m := &image{b: make([]byte, imageBlocks*1024), sums: sums}
	sb := m.super()
	for _, v := range [][2]uint32{
		{0, 32}, {4, imageBlocks}, {0x14, 1}, {0x20, 8192}, {0x24, 8192}, {0x28, 32}, {0x4C, 1}, {0x58, 128},
		{0x5C, compatHasJournal}, {0x60, incompatFiletype | incompatExtents}, {0xE0, journalIno},
	} {
		le.PutUint32(sb[v[0]:], v[1])
	}
	if sums {
		le.PutUint32(sb[0x64:], roMetadataCsum)
	}
	le.PutUint16(sb[0x38:], superMagic)
	copy(sb[0x68:], "sixteen bytes ID")
	for i, block := range []uint32{3, 4, 5} {
		le.PutUint32(m.block(2)[4*i:], block)
	}
	n := m.inode()
	le.PutUint16(n, modeRegular|0o600)
	le.PutUint32(n[4:], journalSize*1024)
	le.PutUint16(n[0x1A:], 1)
	m.extents(extentOf(0, journalAt, journalSize))
	copy(m.block(journalAt), "\xC0\x3B\x39\x98\x00\x00\x00\x04")
	return m
}

func (m *image) super() []byte             { return m.b[1024:2048] }
func (m *image) block(n uint64) []byte     { return m.b[n*1024 : n*1024+1024] }
func (m *image) inode() []byte             { return m.b[journalInode : journalInode+128] }
func (m *image) iblock() []byte            { return m.inode()[0x28:0x64] }
func (m *image) backup() []byte            { return m.super()[0x10C:0x148] }
func (m *image) extents(entries ...[]byte) { m.root(0, entries...) }

// root makes the journal's inode the root of an extent tree.
func (m *image) root(depth int, entries ...[]byte) {
	le.PutUint32(m.inode()[0x20:], flagExtents)
	putExtents(m.iblock(), depth, entries...)
}

// keep copies the inode's map to the superblock.
func (m *image) keep() *image {
	m.super()[0xFD] = 1
	copy(m.backup(), m.iblock())
	copy(m.super()[0x14C:], m.inode()[4:8])
	return m
}

// bytes seals all sums and returns the image.
func (m *image) bytes() []byte {
	if !m.sums {
		return bytes.Clone(m.b)
	}
	s := parseSuper(m.super())
	desc := m.block(2)[:32]
	le.PutUint16(desc[0x1E:], uint16(sumWithout(crc32c32(s.seed, 0), desc, 2, 0x1E)))
	_, right, _ := s.inodeSum(journalIno, m.inode())
	le.PutUint16(m.inode()[0x7C:], uint16(right))
	sealSuper(m.super())
	return bytes.Clone(m.b)
}

// sealExtents makes the checksum of a block of the journal's extent tree right.
func (m *image) sealExtents(block uint64) {
	s := parseSuper(m.super())
	n, _ := parseExtents(m.block(block))
	le.PutUint32(m.block(block)[n.sumAt():], crc32c(s.inodeSeed(journalIno, 0), m.block(block)[:n.sumAt()]))
}

func putExtents(b []byte, depth int, entries ...[]byte) {
	clear(b)
	le.PutUint16(b, extentMagic)
	le.PutUint16(b[2:], uint16(len(entries)))
	le.PutUint16(b[4:], uint16(len(b)/extentEntry-1))
	le.PutUint16(b[6:], uint16(depth))
	for i, e := range entries {
		copy(b[extentEntry*(i+1):], e)
	}
}

func extentOf(logical, physical uint32, length uint16) []byte {
	e := make([]byte, extentEntry)
	le.PutUint32(e, logical)
	le.PutUint16(e[4:], length)
	le.PutUint32(e[8:], physical)
	return e
}

func childOf(logical, block uint32) []byte {
	e := make([]byte, extentEntry)
	le.PutUint32(e, logical)
	le.PutUint32(e[4:], block)
	return e
}
