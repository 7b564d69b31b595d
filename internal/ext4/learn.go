package ext4

// table learns from a block of an inode table whose first inode is given.
func (o *owners) table(first, last uint64, b []byte) {
	for ino := first; ino <= last && len(b) >= o.s.InodeSize; ino++ {
		raw := b[:o.s.InodeSize]
		b = b[o.s.InodeSize:]
		if le.Uint16(raw) != 0 && le.Uint16(raw[0x1A:]) != 0 {
			o.inode(uint32(ino), raw)
		}
	}
}

// inode learns which blocks an inode that is in use owns.
func (o *owners) inode(ino uint32, raw []byte) {
	n := parseInode(raw)
	sum := crc32c(uint32(n.mode)^n.flags, raw[0x28:0x6C])
	old, known := o.inodes[ino]
	if known && old.sum == sum {
		return
	}
	if !known && len(o.inodes) >= maxOwnerInodes {
		o.full = true
		return
	}
	o.inodes[ino] = identity{sum, n.generation}
	if n.acl != 0 && o.s.inRange(n.acl, 1) {
		o.add(run{start: n.acl, n: 1, inode: ino, kind: kindXattr})
	}
	if !n.hasMap() {
		return
	}
	if n.flags&flagExtents != 0 {
		if root, why := parseExtents(n.iblock); why == "" {
			o.extents(ino, o.dataKind(ino, &n), root)
		}
		return
	}
	o.blockMap(ino, o.dataKind(ino, &n), n.iblock)
}

// dataKind is what the data blocks of an inode are.
func (o *owners) dataKind(ino uint32, n *inode) kind {
	switch {
	case n.mode&modeType == modeDir:
		return kindDirectory
	case n.mode&modeType == modeSymlink:
		return kindSymlink
	case ino == o.journal:
		return kindJournal
	case ino == o.s.OrphanFile && o.s.Compat&compatOrphanFile != 0:
		return kindOrphans
	}
	return kindFile
}

// extents learns from a node of an extent tree.
func (o *owners) extents(ino uint32, k kind, n extentNode) {
	for i := range n.entries {
		if n.depth > 0 {
			logical, block := n.child(i)
			o.node(block, node{inode: ino, logical: uint32(logical), level: uint8(n.depth - 1), extents: true}, k)
			continue
		}
		logical, physical, length := n.extent(i)
		if length > 0 && o.s.inRange(physical, length) {
			o.add(run{start: physical, n: uint16(length), inode: ino, logical: uint32(logical), kind: k})
		}
	}
}

// blockMap learns from the i_block of a file without extents.
func (o *owners) blockMap(ino uint32, k kind, iblock []byte) {
	o.pointers(ino, k, 0, iblock[:48])
	first, span := uint64(12), uint64(o.s.BlockSize/4)
	for level := range uint8(3) {
		o.node(uint64(le.Uint32(iblock[48+4*level:])), node{inode: ino, logical: uint32(first), level: level + 1}, k)
		first += span
		span *= uint64(o.s.BlockSize / 4)
	}
}

// pointers learns from pointers to data blocks, from a logical block on.
func (o *owners) pointers(ino uint32, k kind, logical uint32, b []byte) {
	for ; len(b) >= 4; b = b[4:] {
		if p := uint64(le.Uint32(b)); p != 0 && o.s.inRange(p, 1) {
			o.add(run{start: p, n: 1, inode: ino, logical: logical, kind: k})
		}
		logical++
	}
}

// node notes a block of pointers, whose contents may come later.
func (o *owners) node(block uint64, n node, data kind) {
	if block == 0 || !o.s.inRange(block, 1) {
		return
	}
	old, known := o.nodes[block]
	switch {
	case known && old.inode == n.inode && old.level == n.level && old.extents == n.extents && old.logical == n.logical && old.data == data:
		return
	case !known && len(o.nodes) >= maxOwnerNodes:
		o.full = true
		return
	}
	n.data = data
	o.nodes[block] = n
	k := kindIndirect
	if n.extents {
		k = kindExtents
	}
	o.add(run{start: block, n: 1, inode: n.inode, logical: n.logical, kind: k})
}

// contents learns from a known block of pointers. into is where its children
// are noted: o itself, or another's list.
func (o *owners) contents(block uint64, b []byte, into *owners) {
	n := o.nodes[block]
	sum := crc32c(0, b)
	if n.read && n.sum == sum {
		return
	}
	n.sum, n.read = sum, true
	o.nodes[block] = n
	if n.extents {
		if e, why := parseExtents(b); why == "" && e.depth == int(n.level) && o.belongs(&e, n.inode) {
			into.extents(n.inode, n.data, e)
		}
		return
	}
	into.indirect(n, b)
}

func (o *owners) indirect(n node, b []byte) {
	if n.level == 1 {
		o.pointers(n.inode, n.data, n.logical, b)
		return
	}
	span, logical := uint32(1), n.logical
	for range n.level - 1 {
		span *= uint32(o.s.BlockSize / 4)
	}
	for ; len(b) >= 4; b = b[4:] {
		o.node(uint64(le.Uint32(b)), node{inode: n.inode, logical: logical, level: n.level - 1}, n.data)
		logical += span
	}
}

// belongs says whether the checksum of an extent block fits its owner, as far
// as that can be told.
func (o *owners) belongs(e *extentNode, ino uint32) bool {
	id, known := o.inodes[ino]
	if !known || !o.s.sums() {
		return true
	}
	stored, right, ok := e.sum(o.s.inodeSeed(ino, id.generation))
	return !ok || stored == right
}
