package ext4

import (
	"bytes"
	"iter"

	"github.com/vexfs/vexctl/internal/format"
)

// A directory block is a chain of entries that ends with the block:
//
//	0  4  inode, 0 when unused     6  1  length of the name
//	4  2  length of the entry      7  1  type of file (filetype), or high byte
//	8     name
//
// With metadata_csum the last entry is a disguise for the block's checksum:
// inode 0, length 12, no name, type DE, and the checksum where a name would be.
// An index block hides behind entries that span the block: its root behind '.'
// and '..', its nodes behind a single unused entry.
type dirent struct {
	at, length int
	inode      uint32
	kind       byte
	name       []byte
}

const (
	dirTail     = 12
	dirTailType = 0xDE
)

// direntAt decodes the entry at a byte of a block, and says whether it can be one.
func (s *Super) direntAt(b []byte, at int) (d dirent, ok bool) {
	if at+8 > len(b) {
		return d, false
	}
	d = dirent{at: at, length: direntLength(le.Uint16(b[at+4:]), len(b)), inode: le.Uint32(b[at:])}
	size := int(b[at+6])
	if s.filetype() {
		d.kind = b[at+7]
	} else {
		size |= int(b[at+7]) << 8
	}
	if d.length < 8+(size+3)&^3 || d.length%4 != 0 || at+d.length > len(b) {
		return d, false
	}
	d.name = b[at+8 : at+8+size]
	return d, true
}

// direntLength undoes the way in which 64 KiB fit into 16 bits.
func direntLength(v uint16, blockSize int) int {
	if blockSize < 1<<16 {
		return int(v)
	}
	if v == 0 || v == 0xffff {
		return 1 << 16
	}
	return int(v&0xfffc) | int(v&3)<<16
}

// isTail says whether the entry is the checksum in disguise.
func (d *dirent) isTail(blockSize int) bool {
	return d.inode == 0 && d.length == dirTail && len(d.name) == 0 && d.kind == dirTailType && d.at+dirTail == blockSize
}

// sane says whether a live entry can be what it claims.
func (s *Super) sane(d *dirent) bool {
	if d.inode > s.Inodes || len(d.name) == 0 || len(d.name) > 255 || s.filetype() && d.kind > 7 {
		return false
	}
	// Encrypted names are any bytes.
	return s.Incompat&incompatEncrypt != 0 || bytes.IndexByte(d.name, 0) < 0 && bytes.IndexByte(d.name, '/') < 0
}

// looksLikeDirectory: a chain of sane entries that meets the end of the block
// exactly, with something in it.
func (s *Super) looksLikeDirectory(b []byte) bool {
	found := false
	for at := 0; at < len(b); {
		d, ok := s.direntAt(b, at)
		switch {
		case !ok || d.length < 12:
			return false
		case d.isTail(len(b)):
			found = true
		case d.inode == 0:
		case !s.sane(&d):
			return false
		default:
			found = true
		}
		at += d.length
	}
	return found
}

// dirents iterates over the live entries of a block.
func (s *Super) dirents(b []byte) iter.Seq[dirent] {
	return func(yield func(dirent) bool) {
		for at := 0; at < len(b); {
			d, ok := s.direntAt(b, at)
			if !ok || d.length == 0 || d.inode != 0 && !yield(d) {
				return
			}
			at += d.length
		}
	}
}

// indexAt is where an index block keeps its limit and count, or -1 when the
// block is none: at 8 in a node, and in the root behind '.', '..' and 8 bytes
// about the hash.
func (s *Super) indexAt(b []byte) int {
	first, ok := s.direntAt(b, 0)
	if !ok {
		return -1
	}
	if first.inode == 0 && first.length == len(b) && len(first.name) == 0 {
		return 8
	}
	if string(first.name) != "." || first.length != 12 {
		return -1
	}
	second, ok := s.direntAt(b, 12)
	if !ok || string(second.name) != ".." || second.length != len(b)-12 || le.Uint32(b[24:]) != 0 || b[29] != 8 {
		return -1
	}
	return 32
}

func (s *Super) looksLikeIndex(b []byte) bool {
	at := s.indexAt(b)
	if at < 0 {
		return false
	}
	room := len(b) - at
	if s.sums() {
		room -= 8
	}
	limit, count := int(le.Uint16(b[at:])), int(le.Uint16(b[at+2:]))
	return limit == room/8 && count > 0 && count <= limit
}

// explainDirectory lists the names in a directory block, or tells whose index
// it is.
func (x *Explainer) explainDirectory(f *format.Fields, k kind, own *run, b []byte) {
	blockType(f, k)
	var names []string
	var inodes []uint64
	self, parent := uint32(0), uint32(0)
	for d := range x.s.dirents(b) {
		switch string(d.name) {
		case ".":
			self = d.inode
		case "..":
			parent = d.inode
		default:
			names = append(names, string(d.name))
			inodes = append(inodes, uint64(d.inode))
		}
	}
	x.directoryOwner(f, k, own, self, b)
	if parent != 0 {
		f.Uint("parent_inode", 12, 4, uint64(parent))
	}
	if k == kindDirectory {
		f.Texts("names", names)
		f.Uints("name_inodes", 0, 0, inodes)
	}
}

// directoryOwner prefers what the block says of itself to what is known of its
// place, which may have changed hands since.
func (x *Explainer) directoryOwner(f *format.Fields, k kind, own *run, self uint32, b []byte) {
	if own != nil && (own.kind != kindDirectory || self != 0 && own.inode != self || !x.directoryOf(own.inode, k, b)) {
		own = nil
	}
	switch {
	case self != 0:
		f.Uint("inode", 0, 4, uint64(self))
		f.Uint("logical_block", 0, 0, 0)
	case own != nil:
		ownerFields(f, own)
	}
}

// directoryOf says whether the block's checksum lets it belong to an inode.
func (x *Explainer) directoryOf(ino uint32, k kind, b []byte) bool {
	generation, known := x.generation(ino)
	if !known || !x.s.sums() {
		return true
	}
	seed := x.s.inodeSeed(ino, generation)
	if k == kindDirectory {
		return crc32c(seed, b[:len(b)-dirTail]) == le.Uint32(b[len(b)-4:])
	}
	at := x.s.indexAt(b)
	limit, count := int(le.Uint16(b[at:])), int(le.Uint16(b[at+2:]))
	tail := at + 8*limit
	sum := crc32c(seed, b[:at+8*count])
	sum = crc32c(sum, b[tail:tail+4])
	return crc32c(sum, noBytes[:4]) == le.Uint32(b[tail+4:])
}
