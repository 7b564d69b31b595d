package ext4

// inode is what of an inode matters here. Offsets within it:
//
//	0x00 2   mode                 0x28 60  i_block: extent root or block map
//	0x04 4   size, low            0x64 4   generation
//	0x10 4   mtime                0x68 4   block of extended attributes
//	0x14 4   deletion time        0x6C 4   size, high (files)
//	0x1A 2   links                0x76 2   attribute block, high
//	0x20 4   flags                0x7C 2   checksum, low
//	0x80 2   bytes used beyond the first 128
//	0x82 2   checksum, high       0x88 4   mtime: nanoseconds << 2, epoch
type inode struct {
	mode, links       uint16
	size              uint64
	mtime, mtimeExtra uint32
	flags, generation uint32
	acl               uint64
	iblock            []byte
}

// Types in the mode.
const (
	modeType    = 0xF000
	modeFIFO    = 0x1000
	modeChar    = 0x2000
	modeDir     = 0x4000
	modeBlock   = 0x6000
	modeRegular = 0x8000
	modeSymlink = 0xA000
	modeSocket  = 0xC000
)

// Flags of an inode.
const (
	flagExtents = 0x80000
	flagInline  = 0x10000000
)

const journalIno = 8

func parseInode(b []byte) inode {
	n := inode{
		mode:       le.Uint16(b),
		links:      le.Uint16(b[0x1A:]),
		size:       uint64(le.Uint32(b[4:])),
		mtime:      le.Uint32(b[0x10:]),
		flags:      le.Uint32(b[0x20:]),
		generation: le.Uint32(b[0x64:]),
		acl:        uint64(le.Uint32(b[0x68:])) | uint64(le.Uint16(b[0x76:]))<<32,
		iblock:     b[0x28:0x64],
	}
	if t := n.mode & modeType; t == modeRegular || t == modeDir {
		n.size |= uint64(le.Uint32(b[0x6C:])) << 32
	}
	if len(b) >= 0x8C && le.Uint16(b[0x80:]) >= 0x8C-0x80 {
		n.mtimeExtra = le.Uint32(b[0x88:])
	}
	return n
}

// inUse says whether the inode belongs to something that exists.
func (n *inode) inUse() bool { return n.mode != 0 && n.links != 0 }

// typeName is the kind of thing the inode is.
func (n *inode) typeName() string {
	switch n.mode & modeType {
	case modeRegular:
		return "file"
	case modeDir:
		return "directory"
	case modeSymlink:
		return "symlink"
	case modeFIFO:
		return "fifo"
	case modeSocket:
		return "socket"
	case modeChar:
		return "character-device"
	case modeBlock:
		return "block-device"
	}
	return "unknown"
}

// octal turns permissions and type into a number whose decimal digits are the
// octal ones: 100644.
func (n *inode) octal() uint64 {
	out, unit := uint64(0), uint64(1)
	for m := n.mode; m != 0; m >>= 3 {
		out += uint64(m&7) * unit
		unit *= 10
	}
	return out
}

// inodeSum returns the checksum that the inode in b carries and the right one,
// and their size in bytes: small inodes keep only the low half.
func (s *Super) inodeSum(ino uint32, b []byte) (stored, right uint32, size int) {
	seed := s.inodeSeed(ino, le.Uint32(b[0x64:]))
	stored = uint32(le.Uint16(b[0x7C:]))
	if len(b) > 0x84 && le.Uint16(b[0x80:]) >= 4 {
		stored |= uint32(le.Uint16(b[0x82:])) << 16
		return stored, sumWithout(seed, b, 2, 0x7C, 0x82), 4
	}
	return stored, sumWithout(seed, b, 2, 0x7C) & 0xffff, 2
}

// hasMap says whether the inode's i_block points to blocks.
func (n *inode) hasMap() bool {
	if n.flags&flagInline != 0 {
		return false
	}
	switch n.mode & modeType {
	case modeRegular, modeDir:
		return true
	case modeSymlink:
		return n.flags&flagExtents != 0 || n.size >= 60
	}
	return false
}

// isExtentRoot decides by content, where no flag tells.
func isExtentRoot(iblock []byte) bool { return le.Uint16(iblock) == extentMagic }

// readInode returns a copy of an inode and its byte offset in the source.
// copied is the number of the descriptor's copy that led there.
func (fs *FS) readInode(ino uint32) (b []byte, at int64, copied int, ok bool) {
	s := &fs.Super
	if ino == 0 || ino > s.Inodes || s.IsJournalDevice {
		return nil, -1, 0, false
	}
	r := descReader{fs: fs}
	g, copied, ok := r.get(uint64((ino - 1) / s.InodesPerGroup))
	if !ok {
		return nil, -1, copied, false
	}
	at = int64(g.inodeTable)*int64(s.BlockSize) + int64((ino-1)%s.InodesPerGroup)*int64(s.InodeSize)
	b = make([]byte, s.InodeSize)
	if n, _ := fs.Source.ReadAt(b, at); n < len(b) {
		return nil, at, copied, false
	}
	return b, at, copied, true
}
