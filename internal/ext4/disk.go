package ext4

// Bounds on what is read from the disk to find owners.
const (
	diskTableBytes = 32 << 20
	diskNodeBytes  = 32 << 20
	diskChunk      = 1 << 18
)

// scanDisk learns owners from the filesystem itself: from the tree blocks that
// the log named and did not hold, and, if they are not too large, from all
// inode tables as far as they are in use.
func (x *Explainer) scanDisk() {
	left := int64(diskNodeBytes)
	x.readNodes(x.learned, &left)
	total := int64(0)
	for _, g := range x.fs.groups() {
		total += int64(x.s.usedInodes(g)) * int64(x.s.InodeSize)
	}
	if total <= diskTableBytes {
		buf := make([]byte, diskChunk)
		for n, g := range x.fs.groups() {
			x.readTable(uint32(n), g, buf)
		}
	}
	for range extentDepth {
		x.readNodes(x.disk, &left)
	}
	x.disk.flatten()
}

// readTable learns from the used part of one group's inode table.
func (x *Explainer) readTable(n uint32, g group, buf []byte) {
	size := int64(x.s.InodeSize)
	at := int64(g.inodeTable) * int64(x.s.BlockSize)
	ino := x.s.firstInode(n, 0)
	for left := int64(x.s.usedInodes(g)); left > 0; {
		part := buf[:min(int64(len(buf))/size, left)*size]
		got, err := x.fs.Source.ReadAt(part, at)
		if err != nil {
			part = part[:int64(got)/size*size]
		}
		count := int64(len(part)) / size
		if count == 0 {
			return
		}
		x.disk.table(ino, ino+uint64(count)-1, part)
		ino, at, left = ino+uint64(count), at+int64(len(part)), left-count
	}
}

// readNodes reads the blocks of pointers that are known to o and not yet read,
// while bytes are left. What they point to is the disk's word.
func (x *Explainer) readNodes(o *owners, left *int64) {
	b := make([]byte, x.s.BlockSize)
	for _, block := range o.unread() {
		if *left -= int64(len(b)); *left < 0 {
			return
		}
		if x.fs.readBlock(block, b) == nil {
			o.contents(block, b, x.disk)
		}
	}
}
