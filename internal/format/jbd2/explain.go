package jbd2

import (
	"context"

	"github.com/vexfs/vexctl/internal/ext4"
	"github.com/vexfs/vexctl/internal/format"
)

// learn shows the explainer the blocks of the live log that say which inode
// owns which block, so that a block can be explained that is logged before
// the inode that owns it.
func (j *Journal) learn(ctx context.Context, l *live, opt format.Scan) {
	if !opt.Explain || j.fs == nil {
		return
	}
	j.explainMu.Lock()
	defer j.explainMu.Unlock()
	if j.learned {
		return
	}
	j.explainer, j.learned = ext4.NewExplainer(j.fs), true
	w := format.NewWindow(j.src, max(4*j.geo.blockSize, 1<<14))
	var tags []tag
	j.headers(l, func(h header, block uint32, b []byte) bool {
		if h.typ != typeDescriptor {
			return true
		}
		tags, _ = j.geo.tags(tags[:0], b)
		d := j.geo.dist(block)
		for i, t := range tags {
			if !j.explainer.Wants(t.block) {
				continue
			}
			at := j.geo.block((d + 1 + uint32(i)) % j.geo.ring())
			if b, err := w.At(j.geo.off(at), j.geo.blockSize); err == nil {
				j.withPayload(t, b, func() { j.explainer.Learn(t.block, b) })
			}
		}
		return ctx.Err() == nil
	})
}

// withPayload runs f while b holds what the logged block means, not how it is
// stored.
func (j *Journal) withPayload(t tag, b []byte, f func()) {
	if t.flags&flagEscape == 0 || len(b) < 4 {
		f()
		return
	}
	stored := [4]byte(b)
	unescape(t, b)
	f()
	copy(b, stored[:])
}

// explain says what a logged block is to the filesystem. b is its stored
// contents, or nil.
func (j *Journal) explain(f *format.Fields, t tag, b []byte) {
	if j.fs == nil {
		return
	}
	j.explainMu.Lock()
	defer j.explainMu.Unlock()
	if j.explainer == nil {
		j.explainer = ext4.NewExplainer(j.fs)
	}
	if b == nil {
		j.explainer.Explain(f, t.block, nil)
		return
	}
	j.withPayload(t, b, func() { j.explainer.Explain(f, t.block, b) })
}
