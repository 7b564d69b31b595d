package vexf

import "github.com/vexfs/vexctl/internal/format"

// area is where the blocks of a log lie. Slot p is the block of size bytes at
// base + p x size, which is device block first + p.
type area struct {
	base, size int64
	// slots is how many slots have at least one byte in the source; ring is
	// how many there should be.
	slots int64
	ring  uint64
	first uint64
}

// ringArea is the ring of a journal whose superblock is at an offset.
func ringArea(src format.Source, at int64, sb *Superblock) area {
	size := int64(sb.BlockSize)
	a := area{base: at + size, size: size, ring: sb.Ring(), first: sb.StartBlock + 1}
	if room := src.Size() - a.base; room > 0 {
		a.slots = (room + size - 1) / size
	}
	if uint64(a.slots) > a.ring {
		a.slots = int64(a.ring)
	}
	return a
}

// off is where a slot starts in the source.
func (a area) off(pos int64) int64 { return a.base + pos*a.size }

// end is where the last slot ends.
func (a area) end(size int64) int64 { return min(a.off(a.slots), size) }

// block is the device block of a slot.
func (a area) block(pos int64) uint64 { return a.first + uint64(pos) }
