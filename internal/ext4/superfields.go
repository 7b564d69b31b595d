package ext4

import (
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// Fields lists what people want to know of the filesystem. Byte ranges are
// within the superblock.
func (s *Super) Fields() format.Fields {
	var f format.Fields
	f.Str("filesystem", 0, 0, s.Family())
	f.Str("label", 0x78, 16, s.LabelString)
	f.Str("uuid", 0x68, 16, uuidText(s.UUID))
	f.Uint("block_size", 0x18, 4, uint64(s.BlockSize))
	f.Uint("blocks", 0x04, 4, s.Blocks)
	if s.IsJournalDevice {
		f.Texts("features", s.Features())
		return f
	}
	f.Uint("free_blocks", 0x0C, 4, s.FreeBlocks)
	f.Uint("inodes", 0, 4, uint64(s.Inodes))
	f.Uint("free_inodes", 0x10, 4, uint64(s.FreeInodes))
	f.Uint("inode_size", 0x58, 2, uint64(s.InodeSize))
	f.Uint("groups", 0, 0, s.groups)
	f.Uint("blocks_per_group", 0x20, 4, s.BlocksPerGroup)
	f.Texts("features", s.Features())
	s.stateFields(&f)
	s.journalFields(&f)
	return f
}

func (s *Super) stateFields(f *format.Fields) {
	f.Str("state", 0x3A, 2, stateName(s.State))
	f.Bool("needs_recovery", 0x60, 4, s.NeedsRecovery)
	f.Uint("mount_count", 0x34, 2, uint64(s.MountCount))
	if s.Mtime != 0 {
		f.Seconds("mount_time", 0x2C, 4, s.Mtime)
	}
	f.Seconds("write_time", 0x30, 4, s.Wtime)
	if s.LastOrphan != 0 {
		f.Uint("last_orphan", 0xE8, 4, uint64(s.LastOrphan))
	}
	if s.HasChecksum {
		f.Hex("checksum", 0x3FC, 4, uint64(s.Checksum))
		f.Bool("checksum_ok", 0, 0, s.ChecksumOK)
	}
}

func (s *Super) journalFields(f *format.Fields) {
	if s.Compat&compatHasJournal == 0 {
		return
	}
	if s.JournalInum != 0 {
		f.Uint("journal_inode", 0xE0, 4, uint64(s.JournalInum))
	}
	if s.JournalUUID != [16]byte{} {
		f.Str("journal_uuid", 0xD0, 16, uuidText(s.JournalUUID))
	}
}

func uuidText(b [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
