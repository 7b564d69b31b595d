package jbd2

import (
	"github.com/vexfs/vexctl/internal/ext4"
	"github.com/vexfs/vexctl/internal/format"
)

// learn makes the explainer, once, and shows it the blocks of the live log
// that say which inode owns which block, so that a block can be explained that
// is logged before the inode that owns it. nil without a filesystem.
func (j *Journal) learn(l *live) *ext4.Explainer {
	if j.fs == nil {
		return nil
	}
	j.learnOnce.Do(func() {
		j.explainer = ext4.NewExplainer(j.fs)
		j.teach(l, j.explainer)
	})
	return j.explainer
}

func (j *Journal) teach(l *live, x *ext4.Explainer) {
	j.eachLogged(l, x.Wants, func(t tag, b []byte) { x.Learn(t.block, b) })
}

// eachLogged visits, in log order, the logged blocks of the live log whose home
// is wanted, with what they mean.
func (j *Journal) eachLogged(l *live, want func(block uint64) bool, visit func(t tag, payload []byte)) {
	w := j.window(max(j.geo.blockSize, 1<<12)) // it skips from block to block
	var tags []tag
	j.headers(l, func(h header, block uint32, b []byte) bool {
		if h.typ != typeDescriptor {
			return true
		}
		tags, _ = j.geo.tags(tags[:0], b)
		d := j.geo.dist(block)
		for i, t := range tags {
			if !want(t.block) {
				continue
			}
			at := j.geo.block((d + 1 + uint32(i)) % j.geo.ring())
			if b, err := w.At(j.geo.off(at), j.geo.blockSize); err == nil {
				j.withPayload(t, b, func() { visit(t, b) })
			}
		}
		return true
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
func (j *Journal) explain(l *live, f *format.Fields, t tag, b []byte) {
	x := j.learn(l)
	switch {
	case x == nil:
	case b == nil:
		x.Explain(f, t.block, nil)
	default:
		j.withPayload(t, b, func() { x.Explain(f, t.block, b) })
	}
}
