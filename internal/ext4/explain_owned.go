package ext4

import "github.com/vexfs/vexctl/internal/format"

// explainOwned explains a block whose place tells nothing.
func (x *Explainer) explainOwned(f *format.Fields, block uint64, payload []byte) {
	var own *run
	if r, known := x.owner(block); known {
		own = &r
	}
	if payload == nil {
		x.byOwner(f, own)
		return
	}
	switch k := x.s.sniff(payload); k {
	case kindDirectory, kindIndex:
		x.explainDirectory(f, k, own, payload)
	case kindExtents:
		x.explainExtents(f, own, payload)
	case kindXattr:
		explainXattr(f, own, payload)
	default:
		x.explainPlain(f, k, own, payload)
	}
}

// byOwner names a block after its owner.
func (x *Explainer) byOwner(f *format.Fields, own *run) {
	if own == nil {
		blockType(f, kindUnknown)
		return
	}
	blockType(f, own.kind)
	ownerFields(f, own)
}

func ownerFields(f *format.Fields, own *run) {
	f.Uint("inode", 0, 0, uint64(own.inode))
	if own.kind != kindXattr {
		f.Uint("logical_block", 0, 0, uint64(own.logical))
	}
}

// explainPlain explains contents that show no structure of their own; k is
// what they might be. An owner that needs a structure had another block here
// when this was logged.
func (x *Explainer) explainPlain(f *format.Fields, k kind, own *run, payload []byte) {
	if own != nil {
		switch own.kind {
		case kindFile, kindSymlink, kindOrphans, kindJournal, kindIndirect:
			x.byOwner(f, own)
			return
		case kindDirectory:
			// Encrypted or damaged, and the directory's nevertheless.
			if !x.s.sums() {
				x.byOwner(f, own)
				return
			}
		}
	}
	switch {
	case k != kindUnknown:
	case format.IsZero(payload):
		k = kindUnused
	case x.s.journalsData():
		k = kindFile
	}
	blockType(f, k)
}

// journalsData says whether file contents go through the journal by default.
func (s *Super) journalsData() bool { return s.MountOptions&0x60 == 0x20 }

func (x *Explainer) explainExtents(f *format.Fields, own *run, b []byte) {
	n, _ := parseExtents(b)
	if own != nil && (own.kind == kindFile || !x.extentsOf(&n, own.inode)) {
		x.byOwner(f, own) // a file may hold what looks like a tree
		return
	}
	blockType(f, kindExtents)
	if own != nil && own.kind == kindExtents && x.extentsOf(&n, own.inode) {
		f.Uint("inode", 0, 0, uint64(own.inode))
	}
	if n.entries > 0 {
		f.Uint("logical_block", extentEntry, 4, n.logical(0))
	}
	f.Uint("depth", 6, 2, uint64(n.depth))
	f.Uint("entries", 2, 2, uint64(n.entries))
}

// extentsOf says whether the block's checksum lets it belong to an inode.
func (x *Explainer) extentsOf(n *extentNode, ino uint32) bool {
	generation, known := x.generation(ino)
	if !known || !x.s.sums() {
		return true
	}
	stored, right, ok := n.sum(x.s.inodeSeed(ino, generation))
	return !ok || stored == right
}
