package ext4

import (
	"bytes"
	"slices"

	"github.com/vexfs/vexctl/internal/format"
)

// findBackup looks for a superblock where a filesystem with groups of the
// default size keeps its backups, for each block size, and returns the first
// that is consistent in itself. It makes at most some two hundred small reads.
func findBackup(src format.Source) (*Super, int64) {
	if foreign(src) {
		return nil, -1
	}
	for size := int64(1024); size <= 1<<16; size *= 2 {
		for _, g := range backupGroups(src, size) {
			at := backupOffset(g, size)
			if s := backupAt(src, at, g, size); s != nil {
				return s, at
			}
		}
	}
	return nil, -1
}

// backupOffset is where group g starts, in bytes, when its blocks are of the
// given size and a group is as large as one bitmap block can tell. With blocks
// of 1 KiB, block 0 belongs to no group.
func backupOffset(g, blockSize int64) int64 {
	at := g * 8 * blockSize * blockSize
	if blockSize == 1024 {
		at += blockSize
	}
	return at
}

// backupGroups lists the groups in which a source of this size can have
// backups: 1 and the powers of 3, 5 and 7, and the last two groups, where
// sparse_super2 puts one.
func backupGroups(src format.Source, blockSize int64) []int64 {
	last := src.Size() / (8 * blockSize * blockSize)
	out := []int64{1}
	for _, base := range []int64{3, 5, 7} {
		for g := base; g <= last; g *= base {
			out = append(out, g)
		}
	}
	slices.Sort(out)
	return append(out, last, last-1)
}

func backupAt(src format.Source, at, group, blockSize int64) *Super {
	if group < 1 || group > 1<<32 {
		return nil
	}
	b, err := readSuper(src, at)
	if err != nil || !hasMagic(b) {
		return nil
	}
	s := parseSuper(b)
	switch {
	case int64(s.BlockSize) != blockSize, int64(s.Group) != group&0xffff, uint64(group) >= s.Groups():
		return nil
	case s.HasChecksum && !s.ChecksumOK, s.IsJournalDevice, s.senseless() != "":
		return nil
	case int64(s.groupStart(uint64(group)))*blockSize != at:
		return nil
	}
	return &s
}

// foreign says whether another filesystem was made here: what is left of an
// older one behind it is no reason to take its place.
func foreign(src format.Source) bool {
	for _, m := range []struct {
		at   int64
		text string
	}{
		{0, "XFSB"}, {3, "NTFS    "}, {3, "EXFAT   "}, {54, "FAT"}, {82, "FAT32   "},
		{0x10040, "_BHRfS_M"}, {1024, "\x10\x20\xf5\xf2"}, {0, "LUKS\xba\xbe"},
	} {
		b := make([]byte, len(m.text))
		if n, _ := src.ReadAt(b, m.at); n == len(b) && bytes.Equal(b, []byte(m.text)) {
			return true
		}
	}
	return false
}
