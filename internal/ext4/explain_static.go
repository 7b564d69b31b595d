package ext4

import (
	"math/bits"

	"github.com/vexfs/vexctl/internal/format"
)

func (x *Explainer) explainSuper(f *format.Fields, g uint32, block uint64, payload []byte) {
	blockType(f, kindSuper)
	f.Uint("group", 0, 0, uint64(g))
	if g != 0 {
		f.Uint("backup_of_group", 0, 0, 0)
	}
	if payload == nil {
		return
	}
	at := 0
	if block == 0 {
		at = superOffset
	}
	b := payload[at:]
	if len(b) < superSize || !hasMagic(b) {
		return
	}
	s := parseSuper(b[:superSize])
	f.Uint("free_blocks", at+0x0C, 4, s.FreeBlocks)
	f.Uint("free_inodes", at+0x10, 4, uint64(s.FreeInodes))
	f.Uint("mount_count", at+0x34, 2, uint64(s.MountCount))
	f.Str("state", at+0x3A, 2, stateName(s.State))
	f.Bool("needs_recovery", at+0x60, 4, s.NeedsRecovery)
	f.Seconds("write_time", at+0x30, 4, s.Wtime)
	if s.LastOrphan != 0 {
		f.Uint("last_orphan", at+0xE8, 4, uint64(s.LastOrphan))
	}
}

// explainDescriptors names the groups that descriptor block k describes.
func (x *Explainer) explainDescriptors(f *format.Fields, k uint64) {
	blockType(f, kindDescriptors)
	per := x.s.descsPerBlock()
	f.Uint("first_group", 0, 0, k*per)
	f.Uint("last_group", 0, 0, min((k+1)*per, x.s.groups)-1)
}

func (x *Explainer) explainBitmap(f *format.Fields, k kind, g uint32, payload []byte) {
	blockType(f, k)
	f.Uint("group", 0, 0, uint64(g))
	if payload == nil {
		return
	}
	n := uint64(x.s.InodesPerGroup)
	if k == kindBlockBitmap {
		n = x.s.bitsOfGroup(g)
	}
	f.Uint("used", 0, 0, countBits(payload, int(n)))
}

// bitsOfGroup is how many blocks, or clusters, of a group its bitmap speaks of.
func (s *Super) bitsOfGroup(g uint32) uint64 {
	blocks := min(s.BlocksPerGroup, s.Blocks-s.groupStart(uint64(g)))
	if s.ROCompat&roBigalloc == 0 {
		return blocks
	}
	ratio := uint64(s.ClusterSize / s.BlockSize)
	return (blocks + ratio - 1) / ratio
}

// countBits counts the set ones among the first n bits of b.
func countBits(b []byte, n int) (count uint64) {
	n = min(n, 8*len(b))
	for ; n >= 64; n, b = n-64, b[8:] {
		count += uint64(bits.OnesCount64(le.Uint64(b)))
	}
	for i := range n {
		count += uint64(b[i/8] >> (i % 8) & 1)
	}
	return count
}

// maxListed bounds the inodes that are listed of one block.
const maxListed = 64

func (x *Explainer) explainTable(f *format.Fields, g uint32, at uint64, payload []byte) {
	blockType(f, kindInodeTable)
	first, last := x.s.firstInode(g, at), x.s.lastInode(g, at)
	f.Uint("group", 0, 0, uint64(g))
	f.Uint("first_inode", 0, 0, first)
	f.Uint("last_inode", 0, 0, last)
	if payload == nil {
		return
	}
	var list []format.Fields
	size := x.s.InodeSize
	for ino := first; ino <= last && len(list) < maxListed; ino++ {
		i := int(ino-first) * size
		if n := parseInode(payload[i : i+size]); n.inUse() {
			list = append(list, n.fields(ino, i))
		}
	}
	f.Objects("inodes", 0, len(payload), list)
}

// fields describes an inode that starts at a byte of its block.
func (n *inode) fields(ino uint64, at int) format.Fields {
	f := make(format.Fields, 0, 6)
	f.Uint("inode", 0, 0, ino)
	f.Uint("mode", at, 2, n.octal())
	f.Str("type", at, 2, n.typeName())
	f.Uint("size", at+4, 4, n.size)
	f.Uint("links", at+0x1A, 2, uint64(n.links))
	// The seconds are signed; two more bits reach beyond 2038.
	sec := int64(int32(n.mtime)) + int64(n.mtimeExtra&3)<<32
	if sec < 1<<33 {
		f.Time("mtime", at+0x10, 4, sec*1e9+int64(n.mtimeExtra>>2))
	} else {
		f.Int("mtime", at+0x10, 4, sec)
	}
	return f
}
