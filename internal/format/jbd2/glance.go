package jbd2

import (
	"context"
	"fmt"
	"hash/fnv"
)

// Glance implements [format.Watcher]. A writer changes the superblock, the
// block where the log ended, or the first fast-commit block after the last.
func (j *Journal) Glance() string {
	h := fnv.New64a()
	b := make([]byte, max(j.geo.blockSize, superSize))
	add := func(off int64, n int) {
		m, err := j.src.ReadAt(b[:n], off)
		h.Write(b[:m])
		fmt.Fprint(h, m, err != nil)
	}
	add(j.geo.off(j.geo.superBlock), superSize)
	l, err := j.look(context.Background())
	if err != nil || j.geo.ring() == 0 {
		return ""
	}
	add(j.geo.off(j.geo.block(l.endDist%j.geo.ring())), j.geo.blockSize)
	add(j.geo.off(j.geo.block(l.stopDist%j.geo.ring())), j.geo.blockSize)
	if size := j.fcSize(); size > 0 {
		add(j.geo.off(j.geo.fcFirst), j.geo.blockSize)
		add(j.geo.off(j.geo.fcFirst)+l.fast.end, j.geo.blockSize)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
