package ext4

import (
	"sync"

	"github.com/vexfs/vexctl/internal/format"
)

// Explainer says what the blocks of a filesystem are. First [Explainer.Learn]
// is shown the logged blocks, by one goroutine; from the first call of
// [Explainer.Explain] on, which any number of goroutines may make, it learns
// no more.
type Explainer struct {
	fs      *FS
	s       *Super
	layout  *layout
	learned *owners
	disk    *owners
	// settle ends the learning, scan reads the inode tables on disk.
	settle, scan sync.Once
	settled      bool
}

// NewExplainer reads the group descriptors.
func NewExplainer(fs *FS) *Explainer {
	return &Explainer{fs: fs, s: &fs.Super, layout: newLayout(fs),
		learned: newOwners(&fs.Super, fs.journalInode()), disk: newOwners(&fs.Super, fs.journalInode())}
}

// Static says what a block is by its place alone: the name of its type,
// "unknown" where the place tells nothing, or "" when the filesystem has no
// such block. group is the group that the thing serves, which for bitmaps and
// tables need not be the one it lies in. It does not allocate.
func (x *Explainer) Static(block uint64) (typ string, group uint32) {
	if block >= x.s.Blocks {
		return "", 0
	}
	k, g, _ := x.layout.place(block)
	if k == kindJournal {
		g = uint32((block - x.s.FirstDataBlock) / x.s.BlocksPerGroup)
	}
	return k.String(), g
}

// Wants says, by the number alone, whether Learn could use a block: inode
// tables, and blocks known to be of an extent tree or block map.
func (x *Explainer) Wants(block uint64) bool {
	if x.settled || x.learned.full {
		return false
	}
	if _, known := x.learned.nodes[block]; known {
		return true
	}
	k, _, _ := x.layout.place(block)
	return k == kindInodeTable
}

// Learn is shown logged blocks in the order of the log, with the contents they
// have at home. It keeps nothing of payload.
func (x *Explainer) Learn(block uint64, payload []byte) {
	if x.settled || x.learned.full || len(payload) != x.s.BlockSize {
		return
	}
	if k, g, at := x.layout.place(block); k == kindInodeTable {
		x.learned.table(x.s.firstInode(g, at), x.s.lastInode(g, at), payload)
		return
	}
	if _, known := x.learned.nodes[block]; known {
		x.learned.contents(block, payload, x.learned)
	}
}

// Full reports that the memory for what the log tells is used up, so that
// owners that are named later are not known.
func (x *Explainer) Full() bool { return x.learned.full }

// owner finds who owns a block: as the log said, or else as the disk says. The
// run starts with the block.
func (x *Explainer) owner(block uint64) (run, bool) {
	x.settle.Do(func() {
		x.settled = true
		x.learned.flatten()
	})
	if r, ok := x.learned.find(block); ok {
		return r, true
	}
	x.scan.Do(x.scanDisk)
	return x.disk.find(block)
}

// generation returns that of an inode, when it is known.
func (x *Explainer) generation(ino uint32) (uint32, bool) {
	if id, ok := x.learned.inodes[ino]; ok {
		return id.generation, true
	}
	id, ok := x.disk.inodes[ino]
	return id.generation, ok
}

// Explain appends to f what a block is. payload holds its contents, or is nil:
// then only its place and its owner tell. Byte ranges of the fields are within
// the block.
func (x *Explainer) Explain(f *format.Fields, block uint64, payload []byte) {
	if len(payload) != x.s.BlockSize {
		payload = nil
	}
	switch k, g, at := x.layout.place(block); k {
	case kindUnknown:
		x.explainOwned(f, block, payload)
	case kindSuper:
		x.explainSuper(f, g, block, payload)
	case kindDescriptors:
		x.explainDescriptors(f, at)
	case kindBlockBitmap, kindInodeBitmap:
		x.explainBitmap(f, k, g, payload)
	case kindInodeTable:
		x.explainTable(f, g, at, payload)
	case kindJournal:
		blockType(f, kindJournal)
		f.Uint("inode", 0, 0, uint64(x.fs.journalInode()))
		f.Uint("logical_block", 0, 0, at)
	default:
		blockType(f, k)
		f.Uint("group", 0, 0, uint64(g))
	}
}

func blockType(f *format.Fields, k kind) { f.Str("block_type", 0, 0, k.String()) }
