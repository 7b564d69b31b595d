package vexf

import (
	"context"
	"iter"

	"github.com/vexfs/vexctl/internal/format"
)

// candidates yields the multiples of 512 below limit whose bytes is accepts.
// Holes are jumped over, and what can't be read is no candidate. The error is
// the context's.
func candidates(ctx context.Context, src format.Source, limit int64, is func([]byte) bool) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		w := window(src, searchBuffer)
		end := min(limit, src.Size())
		for off := int64(0); off < end; off += searchStep {
			if off%searchBuffer == 0 {
				if ctx.Err() != nil {
					yield(0, ctx.Err())
					return
				}
				if off = alignDown(format.NextData(src, off)); off >= end {
					return
				}
			}
			if b, _ := w.At(off, searchStep); is(b) && !yield(off, nil) {
				return
			}
		}
	}
}

// window returns a window whose buffer is no larger than its source.
func window(src format.Source, size int) *format.Window {
	return format.NewWindow(src, int(min(int64(size), max(src.Size(), 1))))
}

func alignDown(off int64) int64 { return off - off%searchStep }

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
