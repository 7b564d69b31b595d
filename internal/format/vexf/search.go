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
