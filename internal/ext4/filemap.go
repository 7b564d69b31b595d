package ext4

import (
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// fileMap reads the map of one file, by extents or by indirect blocks, and
// notes what is wrong with it. Each block of the tree is read once at most, so
// cycles end and the work is bounded by what is stored.
type fileMap struct {
	fs     *FS
	seed   uint32 // for the sums of extent blocks
	runs   runs
	seen   map[uint64]bool
	leaves int // extents found
	faults []format.Fault
	place  int64 // of the i_block, in the source
}

// maxMapFaults bounds the faults that one map raises.
const maxMapFaults = 16

func newFileMap(fs *FS, seed uint32, place, size int64) *fileMap {
	block := int64(fs.Super.BlockSize)
	m := &fileMap{fs: fs, seed: seed, seen: map[uint64]bool{}, place: place}
	m.runs = runs{size: int(block), limit: uint64(size / block)}
	return m
}

// fault notes damage of the n bytes at off of the source.
func (m *fileMap) fault(code string, off, n int64, message string, args ...any) *format.Fault {
	if len(m.faults) >= maxMapFaults {
		return &format.Fault{}
	}
	m.faults = append(m.faults, fault(m.fs.Source, code, off, n, message, args...))
	return &m.faults[len(m.faults)-1]
}

// enter reads a block of the tree for the first time. what names it.
func (m *fileMap) enter(block uint64, what string, from int64, n int64) []byte {
	size := m.fs.Super.BlockSize
	switch {
	case !m.fs.Super.inRange(block, 1):
		m.fault(FaultMap, from, n, "%s is said to be at block %d, outside the filesystem", what, block)
		return nil
	case m.seen[block]:
		m.fault(FaultMap, from, n, "block %d, %s, is in the map twice", block, what)
		return nil
	}
	m.seen[block] = true
	b := make([]byte, size)
	if err := m.fs.readBlock(block, b); err != nil {
		m.fault(FaultMap, int64(block)*int64(size), int64(size), "%s, block %d, can't be read: %v", what, block, err)
		return nil
	}
	return b
}

// extents walks the tree below an i_block.
func (m *fileMap) extents(iblock []byte) {
	n, why := parseExtents(iblock)
	if why != "" {
		m.fault(FaultMap, m.place, int64(len(iblock)), "the root of the extent tree is damaged: %s", why)
		return
	}
	m.walk(n, m.place)
}

func (m *fileMap) walk(n extentNode, place int64) {
	before := uint64(0)
	for i := range n.entries {
		at := place + int64(extentEntry*(i+1))
		if l := n.logical(i); i > 0 && l <= before {
			m.fault(FaultMap, at, extentEntry, "entry %d of the extent tree is out of order", i)
			continue
		} else {
			before = l
		}
		if n.depth == 0 {
			m.leaf(n, i, at)
		} else {
			m.descend(n, i, at)
		}
	}
}

func (m *fileMap) leaf(n extentNode, i int, at int64) {
	logical, physical, length := n.extent(i)
	switch {
	case length == 0 || !m.fs.Super.inRange(physical, length):
		m.fault(FaultMap, at, extentEntry, "an extent of %d blocks at block %d is not inside the filesystem", length, physical)
	case !m.runs.add(logical, physical, length):
		m.fault(FaultMap, at, extentEntry, "the extent of logical block %d overlaps the one before it", logical)
	default:
		m.leaves++
	}
}

func (m *fileMap) descend(n extentNode, i int, at int64) {
	_, block := n.child(i)
	b := m.enter(block, "a block of the extent tree", at, extentEntry)
	if b == nil {
		return
	}
	place := int64(block) * int64(len(b))
	child, why := parseExtents(b)
	if why == "" && child.depth != n.depth-1 {
		why = fmt.Sprintf("its depth is %d where %d belongs", child.depth, n.depth-1)
	}
	if why != "" {
		m.fault(FaultMap, place, int64(len(b)), "block %d of the extent tree is damaged: %s", block, why)
		return
	}
	m.checkSum(&child, block, place)
	m.walk(child, place)
}

func (m *fileMap) checkSum(n *extentNode, block uint64, place int64) {
	if !m.fs.Super.sums() {
		return
	}
	stored, right, ok := n.sum(m.seed)
	if !ok || stored == right {
		return
	}
	f := m.fault(FaultMapChecksum, place, int64(len(n.b)), "the checksum of block %d of the extent tree is wrong", block)
	f.Sums(uint64(stored), uint64(right), 4)
	f.Flip(castagnoli, n.b[:n.sumAt()], n.sumAt(), le, right, stored)
}

// blocks walks the block map in an i_block: 12 blocks, then a block of
// pointers, one of pointers to such blocks, and one more level.
func (m *fileMap) blocks(iblock []byte) {
	for i := range 12 {
		m.pointer(uint64(i), uint64(le.Uint32(iblock[4*i:])), m.place+int64(4*i))
	}
	per, first := uint64(m.fs.Super.BlockSize/4), uint64(12)
	span := per
	for level := 1; level <= 3; level++ {
		at := 44 + 4*level
		m.indirect(first, uint64(le.Uint32(iblock[at:])), level, m.place+int64(at))
		first += span
		span *= per
	}
}

// pointer maps one block; 0 is a hole.
func (m *fileMap) pointer(logical, block uint64, at int64) {
	switch {
	case block == 0 || logical >= m.runs.limit:
	case !m.fs.Super.inRange(block, 1):
		m.fault(FaultMap, at, 4, "logical block %d is said to be at block %d, outside the filesystem", logical, block)
	case m.runs.add(logical, block, 1):
		m.leaves++
	}
}

// indirect maps what a block of pointers covers, from logical block first on.
func (m *fileMap) indirect(first, block uint64, level int, at int64) {
	if block == 0 || first >= m.runs.limit {
		return
	}
	b := m.enter(block, "an indirect block", at, 4)
	span := uint64(1)
	for range level - 1 {
		span *= uint64(m.fs.Super.BlockSize / 4)
	}
	place := int64(block) * int64(len(b))
	for i := 0; 4*i < len(b) && first < m.runs.limit; i++ {
		child := uint64(le.Uint32(b[4*i:]))
		if level == 1 {
			m.pointer(first, child, place+int64(4*i))
		} else {
			m.indirect(first, child, level-1, place+int64(4*i))
		}
		first += span
	}
}
