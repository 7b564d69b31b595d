package ext4

// group is what a group descriptor says. Offsets within it; the high halves
// are there when descriptors are 64 bytes long:
//
//	0x00 4  block bitmap          0x20 4  high half
//	0x04 4  inode bitmap          0x24 4  high half
//	0x08 4  inode table           0x28 4  high half
//	0x12 2  flags: 1 inodes, 2 blocks uninitialised
//	0x1C 2  unused inodes at the end of the table, high half at 0x32
//	0x1E 2  checksum
type group struct {
	blockBitmap, inodeBitmap, inodeTable uint64
	flags                                uint16
	unused                               uint32
}

const groupInodesUninit = 1

func (s *Super) parseGroup(b []byte) group {
	g := group{
		blockBitmap: uint64(le.Uint32(b)),
		inodeBitmap: uint64(le.Uint32(b[4:])),
		inodeTable:  uint64(le.Uint32(b[8:])),
		flags:       le.Uint16(b[0x12:]),
		unused:      uint32(le.Uint16(b[0x1C:])),
	}
	if s.DescSize >= 64 {
		g.blockBitmap |= uint64(le.Uint32(b[0x20:])) << 32
		g.inodeBitmap |= uint64(le.Uint32(b[0x24:])) << 32
		g.inodeTable |= uint64(le.Uint32(b[0x28:])) << 32
		g.unused |= uint32(le.Uint16(b[0x32:])) << 16
	}
	return g
}

// soundGroup says whether descriptor n can be trusted.
func (s *Super) soundGroup(n uint64, b []byte) bool {
	g := s.parseGroup(b)
	if !s.inRange(g.blockBitmap, 1) || !s.inRange(g.inodeBitmap, 1) || !s.inRange(g.inodeTable, s.tableBlocks()) {
		return false
	}
	if !s.sums() {
		return true
	}
	sum := sumWithout(crc32c32(s.seed, uint32(n)), b, 2, 0x1E)
	return uint16(sum) == le.Uint16(b[0x1E:])
}

// usedInodes is how many inodes at the start of the table were ever in use.
func (s *Super) usedInodes(g group) uint32 {
	if s.ROCompat&(roGDTSum|roMetadataCsum) == 0 {
		return s.InodesPerGroup
	}
	if g.flags&groupInodesUninit != 0 || g.unused > s.InodesPerGroup {
		return 0
	}
	return s.InodesPerGroup - g.unused
}

// hasSuper says whether group g starts with a copy of the superblock.
func (s *Super) hasSuper(g uint64) bool {
	switch {
	case g == 0:
		return true
	case s.Compat&compatSparseSuper2 != 0:
		return g == uint64(s.BackupGroups[0]) || g == uint64(s.BackupGroups[1])
	case s.ROCompat&roSparseSuper == 0 || g == 1:
		return true
	}
	return g&1 == 1 && (isPower(g, 3) || isPower(g, 5) || isPower(g, 7))
}

func isPower(n, base uint64) bool {
	for n%base == 0 {
		n /= base
	}
	return n == 1
}

// superBlock is the block that group g's superblock is in, if it has one.
func (s *Super) superBlock(g uint64) uint64 {
	if g == 0 && s.FirstDataBlock == 0 && s.BlockSize == 1024 {
		return 1
	}
	return s.groupStart(g)
}

func (s *Super) descsPerBlock() uint64 { return uint64(s.BlockSize / s.DescSize) }

func (s *Super) descBlocks() uint64 {
	return (s.groups + s.descsPerBlock() - 1) / s.descsPerBlock()
}

// oldDescBlocks is how many descriptor blocks stand together behind each copy
// of the superblock; with meta_bg the rest is spread over the groups.
func (s *Super) oldDescBlocks() uint64 {
	if s.Incompat&incompatMetaBG != 0 {
		return min(uint64(s.FirstMetaBG), s.descBlocks())
	}
	return s.descBlocks()
}

// descGroup is the group that keeps the i-th copy of descriptor block k.
func (s *Super) descGroup(k uint64, i int) (g uint64, ok bool) {
	if k >= s.oldDescBlocks() {
		first, n := k*s.descsPerBlock(), s.descsPerBlock()
		at := [...]uint64{0, 1, n - 1}
		if i >= len(at) || first+at[i] >= s.groups {
			return 0, false
		}
		return first + at[i], true
	}
	for g, n := uint64(0), 0; g < s.groups && g < 64; g++ {
		if !s.hasSuper(g) {
			continue
		}
		if n == i {
			return g, true
		}
		n++
	}
	return 0, false
}

// descBlock is where the i-th copy of descriptor block k is; copy 0 is the
// primary one.
func (s *Super) descBlock(k uint64, i int) (block uint64, ok bool) {
	g, ok := s.descGroup(k, i)
	switch {
	case !ok:
		return 0, false
	case k < s.oldDescBlocks():
		return s.superBlock(g) + 1 + k, true
	case s.hasSuper(g):
		return s.superBlock(g) + 1, true
	}
	return s.groupStart(g), true
}

// descOffset is the byte offset of group g's primary descriptor.
func (s *Super) descOffset(g uint32) int64 {
	k, i := uint64(g)/s.descsPerBlock(), uint64(g)%s.descsPerBlock()
	block, _ := s.descBlock(k, 0)
	return int64(block)*int64(s.BlockSize) + int64(i)*int64(s.DescSize)
}
