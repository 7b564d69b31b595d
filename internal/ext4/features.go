package ext4

import "fmt"

// Names of feature bits, as mke2fs and tune2fs spell them; bit i is name i.
var (
	compatNames = []string{"dir_prealloc", "imagic_inodes", "has_journal", "ext_attr", "resize_inode", "dir_index", "lazy_bg", "",
		"exclude_bitmap", "sparse_super2", "fast_commit", "stable_inodes", "orphan_file"}
	incompatNames = []string{"compression", "filetype", "needs_recovery", "journal_dev", "meta_bg", "", "extent", "64bit",
		"mmp", "flex_bg", "ea_inode", "", "dirdata", "metadata_csum_seed", "large_dir", "inline_data", "encrypt", "casefold"}
	roNames = []string{"sparse_super", "large_file", "", "huge_file", "uninit_bg", "dir_nlink", "extra_isize", "",
		"quota", "bigalloc", "metadata_csum", "replica", "read-only", "project", "shared_blocks", "verity", "orphan_present"}
)

// Features lists the names of the feature bits that are set.
func (s *Super) Features() []string {
	out := bitNames(nil, s.Compat, compatNames, 'C')
	out = bitNames(out, s.Incompat, incompatNames, 'I')
	return bitNames(out, s.ROCompat, roNames, 'R')
}

func bitNames(out []string, mask uint32, names []string, class byte) []string {
	for i := range 32 {
		switch {
		case mask>>i&1 == 0:
		case i < len(names) && names[i] != "":
			out = append(out, names[i])
		default:
			out = append(out, fmt.Sprintf("FEATURE_%c%d", class, i))
		}
	}
	return out
}

// Family says which member of the family the features make it.
func (s *Super) Family() string {
	const ext4Incompat = incompatExtents | incompat64Bit | 0x100 | 0x200 | 0x400 | 0x1000 | incompatSumSeed | 0x4000 | 0x8000 | incompatEncrypt | 0x20000
	const ext4ROCompat = 0x8 | roGDTSum | 0x20 | 0x40 | 0x100 | roBigalloc | roMetadataCsum | 0x2000 | 0x8000
	switch {
	case s.Incompat&ext4Incompat != 0 || s.ROCompat&ext4ROCompat != 0:
		return "ext4"
	case s.Compat&compatHasJournal != 0:
		return "ext3"
	}
	return "ext2"
}

// stateName says what the state's bits mean.
func stateName(state uint16) string {
	name := "not cleanly unmounted"
	if state&1 != 0 {
		name = "clean"
	}
	if state&2 != 0 {
		name += " with errors"
	}
	if state&4 != 0 {
		name += ", orphans being recovered"
	}
	if state&0x20 != 0 {
		name += ", fast commits being replayed"
	}
	return name
}
