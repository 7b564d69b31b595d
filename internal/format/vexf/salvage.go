package vexf

import (
	"context"

	"github.com/vexfs/vexctl/internal/format"
)

// voters is how many blocks are asked for the block size. Each costs a sum at
// every size, so that a large log must not be asked in full.
const voters = 4096

// ballot is a way to cut the source into blocks: of which size, and how far
// from a multiple of it.
type ballot struct{ size, phase int64 }

// salvage finds the block size and alignment that make most blocks come out
// right, and takes the whole source for the log. Positions then mean nothing.
func (j *Journal) salvage(ctx context.Context) error {
	votes, err := poll(ctx, j.src)
	if err != nil {
		return err
	}
	var best ballot
	for b, n := range votes {
		if n > j.votes || n == j.votes && b.before(best) {
			best, j.votes = b, n
		}
	}
	j.salvaged = true
	if j.votes == 0 {
		return nil
	}
	slots := (j.src.Size() - best.phase) / best.size
	j.area = area{base: best.phase, size: best.size, slots: slots, ring: uint64(slots)}
	return nil
}

// before breaks ties, so that a search has one outcome.
func (b ballot) before(c ballot) bool {
	return b.size < c.size || b.size == c.size && b.phase < c.phase
}

func poll(ctx context.Context, src format.Source) (map[ballot]int, error) {
	votes := map[ballot]int{}
	w := window(src, MaxBlockSize)
	asked := 0
	for off, err := range candidates(ctx, src, salvageLimit, isLogBlock) {
		if err != nil {
			return nil, err
		}
		if size := soundSize(w, off); size > 0 {
			votes[ballot{size, off % size}]++
		}
		if asked++; asked == voters {
			break
		}
	}
	return votes, nil
}

// soundSize is the block size at which the block at off carries its own sum,
// or 0.
func soundSize(w *format.Window, off int64) int64 {
	for size := MinBlockSize; size <= MaxBlockSize; size *= 2 {
		b, err := w.At(off, size)
		if err != nil {
			return 0
		}
		if goodSum(b) {
			return int64(size)
		}
	}
	return 0
}
