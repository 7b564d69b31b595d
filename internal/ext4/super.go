package ext4

import (
	"bytes"
	"math/bits"
)

// Where the superblock is, and how large it is.
const (
	superOffset = 1024
	superSize   = 1024
	superMagic  = 0xEF53
)

// Feature bits that change how this package reads.
const (
	compatHasJournal   = 0x4
	compatSparseSuper2 = 0x200
	compatOrphanFile   = 0x1000

	incompatFiletype   = 0x2
	incompatRecover    = 0x4
	incompatJournalDev = 0x8
	incompatMetaBG     = 0x10
	incompatExtents    = 0x40
	incompat64Bit      = 0x80
	incompatSumSeed    = 0x2000
	incompatEncrypt    = 0x10000

	// Compression, filetype, recover, journal_dev, meta_bg, extents, 64bit,
	// mmp, flex_bg, ea_inode, dirdata, csum_seed, largedir, inline_data,
	// encrypt, casefold.
	incompatKnown = 0x3f7df

	roSparseSuper  = 0x1
	roGDTSum       = 0x10
	roBigalloc     = 0x200
	roMetadataCsum = 0x400
)

// Super is the superblock. Offsets are within its 1024 bytes:
//
//	0x000 4   inodes                    0x0D0 16  UUID of an external journal
//	0x004 4   blocks, low               0x0E0 4   inode of the journal
//	0x00C 4   free blocks, low          0x0E4 4   device number of the journal
//	0x010 4   free inodes               0x0E8 4   first orphan inode
//	0x014 4   first data block          0x0FD 1   1: the journal's map is kept below
//	0x018 4   log2(block size) - 10     0x0FE 2   descriptor size (64bit)
//	0x01C 4   log2(cluster size) - 10   0x100 4   default mount options
//	0x020 4   blocks per group          0x104 4   first meta block group
//	0x024 4   clusters per group        0x10C 60  i_block of the journal's inode
//	0x028 4   inodes per group          0x148 8   its size, high half first
//	0x02C 4   mount time, low           0x150 4   blocks, high (64bit)
//	0x030 4   write time, low           0x158 4   free blocks, high (64bit)
//	0x034 2   mount count               0x175 1   checksum type: 1 is CRC-32C
//	0x038 2   magic EF53                0x178 8   KiB written
//	0x03A 2   state                     0x24C 8   two backup groups (sparse_super2)
//	0x04C 4   revision                  0x270 4   checksum seed (csum_seed)
//	0x058 2   inode size                0x274 1   write time, bits 32 to 39
//	0x05A 2   group of this copy        0x275 1   mount time, bits 32 to 39
//	0x05C 12  features: compatible,     0x280 4   inode of the orphan file
//	          incompatible, read-only   0x3FC 4   checksum of bytes 0 to 3FB
//	0x068 16  UUID                      0x078 16  label
//	0x0CE 2   reserved descriptor blocks
type Super struct {
	Inodes         uint32
	Blocks         uint64
	FreeBlocks     uint64
	FreeInodes     uint32
	FirstDataBlock uint64
	// BlockSize, ClusterSize, InodeSize and DescSize are in bytes.
	BlockSize, ClusterSize int
	InodeSize, DescSize    int
	BlocksPerGroup         uint64
	ClustersPerGroup       uint32
	InodesPerGroup         uint32
	// Mtime and Wtime, the last mount and the last write, are in seconds since 1970.
	Mtime, Wtime uint64
	MountCount   uint16
	// State: 1 cleanly unmounted, 2 errors, 4 orphans, 0x20 fast commits being replayed.
	State                      uint16
	Revision                   uint32
	Group                      uint16 // of this copy
	Compat, Incompat, ROCompat uint32
	UUID, JournalUUID          [16]byte
	LabelString                string
	ReservedDescBlocks         uint16
	JournalInum                uint32
	JournalDevice              uint32
	JournalBackup              JournalBackup
	LastOrphan                 uint32
	OrphanFile                 uint32
	MountOptions               uint32
	FirstMetaBG                uint32
	BackupGroups               [2]uint32
	KiBWritten                 uint64
	// NeedsRecovery is the flag of this copy of the superblock; backups do not
	// follow it.
	NeedsRecovery bool
	// IsJournalDevice: this is no filesystem, but the journal of another.
	IsJournalDevice bool
	// HasChecksum and ChecksumOK: whether the superblock carries a checksum,
	// and whether it is right.
	HasChecksum, ChecksumOK bool
	// Checksum is the one stored, Computed the right one.
	Checksum, Computed uint32

	seed   uint32
	groups uint64
}

// JournalBackup is the superblock's copy of the journal inode's map.
type JournalBackup struct {
	Present bool
	IBlock  [60]byte
	Size    int64 // bytes
}

// hasMagic says whether 1024 bytes may be a superblock.
func hasMagic(b []byte) bool { return le.Uint16(b[0x38:]) == superMagic }

// parseSuper decodes 1024 bytes without judging them.
func parseSuper(b []byte) Super {
	s := Super{
		Inodes:           le.Uint32(b),
		Blocks:           uint64(le.Uint32(b[0x4:])),
		FreeBlocks:       uint64(le.Uint32(b[0xC:])),
		FreeInodes:       le.Uint32(b[0x10:]),
		FirstDataBlock:   uint64(le.Uint32(b[0x14:])),
		BlockSize:        shifted(le.Uint32(b[0x18:])),
		ClusterSize:      shifted(le.Uint32(b[0x1C:])),
		BlocksPerGroup:   uint64(le.Uint32(b[0x20:])),
		ClustersPerGroup: le.Uint32(b[0x24:]),
		InodesPerGroup:   le.Uint32(b[0x28:]),
		Mtime:            uint64(le.Uint32(b[0x2C:])) | uint64(b[0x275])<<32,
		Wtime:            uint64(le.Uint32(b[0x30:])) | uint64(b[0x274])<<32,
		MountCount:       le.Uint16(b[0x34:]),
		State:            le.Uint16(b[0x3A:]),
		Revision:         le.Uint32(b[0x4C:]),
		InodeSize:        128,
		DescSize:         32,
		FirstMetaBG:      le.Uint32(b[0x104:]),
	}
	if s.Revision > 0 {
		s.parseDynamic(b)
	}
	s.parseSum(b)
	s.groups = s.countGroups()
	return s
}

// parseDynamic decodes what revision 1 added.
func (s *Super) parseDynamic(b []byte) {
	s.InodeSize = int(le.Uint16(b[0x58:]))
	s.Group = le.Uint16(b[0x5A:])
	s.Compat, s.Incompat, s.ROCompat = le.Uint32(b[0x5C:]), le.Uint32(b[0x60:]), le.Uint32(b[0x64:])
	copy(s.UUID[:], b[0x68:])
	copy(s.JournalUUID[:], b[0xD0:])
	label, _, _ := bytes.Cut(b[0x78:0x88], []byte{0})
	s.LabelString = string(label)
	s.ReservedDescBlocks = le.Uint16(b[0xCE:])
	s.JournalInum, s.JournalDevice = le.Uint32(b[0xE0:]), le.Uint32(b[0xE4:])
	s.LastOrphan, s.OrphanFile = le.Uint32(b[0xE8:]), le.Uint32(b[0x280:])
	s.MountOptions = le.Uint32(b[0x100:])
	s.BackupGroups = [2]uint32{le.Uint32(b[0x24C:]), le.Uint32(b[0x250:])}
	s.KiBWritten = le.Uint64(b[0x178:])
	s.NeedsRecovery = s.Incompat&incompatRecover != 0
	s.IsJournalDevice = s.Incompat&incompatJournalDev != 0
	if s.Incompat&incompat64Bit != 0 {
		s.Blocks |= uint64(le.Uint32(b[0x150:])) << 32
		s.FreeBlocks |= uint64(le.Uint32(b[0x158:])) << 32
		s.DescSize = int(le.Uint16(b[0xFE:]))
	}
	if b[0xFD] == 1 {
		s.JournalBackup.Present = true
		copy(s.JournalBackup.IBlock[:], b[0x10C:])
		s.JournalBackup.Size = int64(uint64(le.Uint32(b[0x148:]))<<32 | uint64(le.Uint32(b[0x14C:])))
	}
}

func (s *Super) parseSum(b []byte) {
	s.seed = crc32c(^uint32(0), s.UUID[:])
	if s.Incompat&incompatSumSeed != 0 {
		s.seed = le.Uint32(b[0x270:])
	}
	s.HasChecksum = s.ROCompat&roMetadataCsum != 0
	s.Checksum = le.Uint32(b[0x3FC:])
	s.Computed = crc32c(^uint32(0), b[:0x3FC])
	s.ChecksumOK = s.HasChecksum && s.Checksum == s.Computed
}

// shifted is 1024 << n, or 0 when that is no block or cluster size.
func shifted(n uint32) int {
	if n > 20 {
		return 0
	}
	return 1024 << n
}

func (s *Super) countGroups() uint64 {
	if s.BlocksPerGroup == 0 || s.Blocks <= s.FirstDataBlock {
		return 0
	}
	return (s.Blocks - s.FirstDataBlock + s.BlocksPerGroup - 1) / s.BlocksPerGroup
}

// Groups is the number of block groups.
func (s *Super) Groups() uint64 { return s.groups }

// senseless says what is impossible about the geometry, or "".
func (s *Super) senseless() string {
	switch {
	case s.BlockSize == 0 || s.BlockSize > 1<<16:
		return "the block size is impossible"
	case s.IsJournalDevice:
		return s.senselessDevice()
	case s.Blocks <= s.FirstDataBlock || s.Blocks > 1<<48:
		return "the number of blocks is impossible"
	case s.FirstDataBlock > 1 || s.FirstDataBlock == 1 && s.BlockSize != 1024:
		return "the first data block is impossible"
	case s.senselessClusters():
		return "the size of the groups is impossible"
	case s.InodesPerGroup == 0 || s.InodesPerGroup > uint32(8*s.BlockSize):
		return "the number of inodes per group is impossible"
	case uint64(s.Inodes) != s.groups*uint64(s.InodesPerGroup):
		return "the number of inodes does not fit the number of groups"
	case s.InodeSize < 128 || s.InodeSize > s.BlockSize || bits.OnesCount(uint(s.InodeSize)) != 1:
		return "the inode size is impossible"
	case s.DescSize < 32 || s.DescSize > 1024 || bits.OnesCount(uint(s.DescSize)) != 1:
		return "the size of the group descriptors is impossible"
	}
	return ""
}

func (s *Super) senselessDevice() string {
	if s.Blocks < 2 || s.Blocks > 1<<48 {
		return "the number of blocks is impossible"
	}
	return ""
}

func (s *Super) senselessClusters() bool {
	if s.ROCompat&roBigalloc == 0 {
		return s.BlocksPerGroup < 256 || s.BlocksPerGroup > uint64(8*s.BlockSize) || s.BlocksPerGroup%8 != 0
	}
	if s.ClusterSize < s.BlockSize || s.ClustersPerGroup == 0 || s.ClustersPerGroup > uint32(8*s.BlockSize) {
		return true
	}
	return s.BlocksPerGroup != uint64(s.ClustersPerGroup)*uint64(s.ClusterSize/s.BlockSize)
}

// inRange says whether a pointer to n blocks stays within the filesystem.
func (s *Super) inRange(block, n uint64) bool {
	return block >= max(s.FirstDataBlock, 1) && n <= s.Blocks && block <= s.Blocks-n
}

// sums says whether structures carry CRC-32C sums.
func (s *Super) sums() bool { return s.ROCompat&roMetadataCsum != 0 }

// filetype says whether directory entries carry a type.
func (s *Super) filetype() bool { return s.Incompat&incompatFiletype != 0 }

// groupStart is the first block of a group.
func (s *Super) groupStart(g uint64) uint64 { return s.FirstDataBlock + g*s.BlocksPerGroup }

// tableBlocks is the length of a group's inode table.
func (s *Super) tableBlocks() uint64 {
	return (uint64(s.InodesPerGroup)*uint64(s.InodeSize) + uint64(s.BlockSize) - 1) / uint64(s.BlockSize)
}
