package ext4

import (
	"cmp"
	"slices"
	"sort"
)

// Bounds on what a hostile filesystem can make the static table hold.
const (
	maxGroups = 1 << 22
	maxSpans  = 1 << 18
)

// span is a row of equal things, one per group: count of them, each stride
// blocks long, from group first on. With flex_bg the bitmaps and tables of many
// groups stand side by side and make one span. For the journal, first is a
// logical block and the stride 1.
type span struct {
	start  uint64
	count  uint32
	stride uint32
	first  uint32
	kind   kind
}

func (p *span) end() uint64 { return p.start + uint64(p.count)*uint64(p.stride) }

// layout says what blocks are by their place alone.
type layout struct {
	s     *Super
	spans []span // sorted by start
}

func newLayout(fs *FS) *layout {
	l := &layout{s: &fs.Super}
	if l.s.IsJournalDevice {
		return l
	}
	l.journal(fs)
	l.tables(fs)
	slices.SortStableFunc(l.spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	return l
}

func (l *layout) journal(fs *FS) {
	view, _, _, err := fs.Journal()
	if err != nil || view == nil {
		return
	}
	size := int64(l.s.BlockSize)
	for _, e := range view.Extents() {
		if e.From >= 0 && len(l.spans) < maxSpans {
			l.spans = append(l.spans, span{start: uint64(e.From / size), count: uint32(e.Length / size), stride: 1,
				first: uint32(e.At / size), kind: kindJournal})
		}
	}
}

// tables adds the bitmaps and inode tables of all groups.
func (l *layout) tables(fs *FS) {
	rows := [...]span{{kind: kindBlockBitmap, stride: 1}, {kind: kindInodeBitmap, stride: 1},
		{kind: kindInodeTable, stride: uint32(l.s.tableBlocks())}}
	for n, g := range fs.groups() {
		for i, at := range [...]uint64{g.blockBitmap, g.inodeBitmap, g.inodeTable} {
			row := &rows[i]
			if !l.s.inRange(at, uint64(row.stride)) {
				continue
			}
			if row.count > 0 && at == row.end() && uint32(n) == row.first+row.count {
				row.count++
				continue
			}
			l.put(*row)
			row.start, row.first, row.count = at, uint32(n), 1
		}
	}
	for _, row := range rows {
		l.put(row)
	}
}

func (l *layout) put(p span) {
	if p.count > 0 && len(l.spans) < maxSpans {
		l.spans = append(l.spans, p)
	}
}

// find returns the span that holds a block, or nil.
func (l *layout) find(block uint64) *span {
	i := sort.Search(len(l.spans), func(i int) bool { return l.spans[i].start > block }) - 1
	if i < 0 || block >= l.spans[i].end() {
		return nil
	}
	return &l.spans[i]
}

// place says what a block is by its place, and which group it serves. at
// counts within that thing: the blocks of an inode table or of the
// descriptors, or the journal's logical blocks.
func (l *layout) place(block uint64) (k kind, group uint32, at uint64) {
	if l.s.IsJournalDevice || block >= l.s.Blocks || block < l.s.FirstDataBlock {
		return kindUnknown, 0, 0
	}
	g := (block - l.s.FirstDataBlock) / l.s.BlocksPerGroup
	if k, at := l.s.head(g, block); k != kindUnknown {
		return k, uint32(g), at
	}
	p := l.find(block)
	switch {
	case p == nil:
		return kindUnknown, uint32(g), 0
	case p.kind == kindJournal:
		return kindJournal, uint32(g), block - p.start + uint64(p.first)
	}
	n := (block - p.start) / uint64(p.stride)
	return p.kind, p.first + uint32(n), block - p.start - n*uint64(p.stride)
}

// head says what a block at the start of group g is: a copy of the superblock,
// of descriptors, or room for more of them. at is the number of the descriptor
// block.
func (s *Super) head(g, block uint64) (k kind, at uint64) {
	i := block - s.groupStart(g)
	if i > 2+s.oldDescBlocks()+uint64(s.ReservedDescBlocks) {
		return kindUnknown, 0
	}
	super := s.hasSuper(g)
	if super {
		if block < s.superBlock(g) {
			return kindUnknown, 0
		}
		if i = block - s.superBlock(g); i == 0 {
			return kindSuper, 0
		}
		i--
	}
	per := s.descsPerBlock()
	if s.Incompat&incompatMetaBG != 0 && g/per >= uint64(s.FirstMetaBG) {
		if r := g % per; i == 0 && (r <= 1 || r == per-1) {
			return kindDescriptors, g / per
		}
		return kindUnknown, 0
	}
	switch old := s.oldDescBlocks(); {
	case !super || i >= old+uint64(s.ReservedDescBlocks):
		return kindUnknown, 0
	case i < old:
		return kindDescriptors, i
	}
	return kindReserved, 0
}

// firstInode is the number of the first inode in block at of group g's table.
func (s *Super) firstInode(g uint32, at uint64) uint64 {
	return uint64(g)*uint64(s.InodesPerGroup) + at*uint64(s.BlockSize/s.InodeSize) + 1
}

// lastInode is that of the last one; a table may end within a block.
func (s *Super) lastInode(g uint32, at uint64) uint64 {
	end := (uint64(g) + 1) * uint64(s.InodesPerGroup)
	return min(end, s.firstInode(g, at)+uint64(s.BlockSize/s.InodeSize)-1)
}
