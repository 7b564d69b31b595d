package ext4

// kind is what a block is used for.
type kind uint8

const (
	kindUnknown kind = iota
	kindSuper
	kindDescriptors
	kindReserved
	kindBlockBitmap
	kindInodeBitmap
	kindInodeTable
	kindJournal
	kindDirectory
	kindIndex
	kindExtents
	kindIndirect
	kindXattr
	kindSymlink
	kindOrphans
	kindFile
	kindUnused
)

var kindNames = [...]string{
	"unknown", "superblock", "group-descriptors", "reserved-group-descriptors", "block-bitmap", "inode-bitmap", "inode-table",
	"journal", "directory", "directory-index", "extent-tree", "indirect", "xattr", "symlink", "orphan-file", "file-data", "zeros",
}

func (k kind) String() string { return kindNames[k] }
