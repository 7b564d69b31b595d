package semj

import (
	"context"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// blocks is a file of STOR blocks as a [body].
type blocks struct{ src format.Source }

func (s blocks) source() format.Source { return s.src }

// blockWalk is one pass over a file of STOR blocks.
type blockWalk struct {
	ctx   context.Context
	src   format.Source
	win   *format.Window
	depth depth
	visit visit
	rec   format.Record
	chain chain
}

// newBlockWalk returns a walk over n bytes of src.
func newBlockWalk(ctx context.Context, src format.Source, n int64, d depth, v visit) *blockWalk {
	return &blockWalk{ctx: ctx, src: src, win: window(src, n), depth: d, visit: v}
}

// walk visits every record of the file in the order of offsets.
func (s blocks) walk(ctx context.Context, d depth, v visit) error {
	w := newBlockWalk(ctx, s.src, s.src.Size(), d, v)
	for off := int64(0); off < s.src.Size(); off += BlockSize {
		if err := ctx.Err(); err != nil {
			return err
		}
		if hole := format.NextData(s.src, off) / BlockSize * BlockSize; hole > off+BlockSize {
			if !w.hole(off, hole) {
				return nil
			}
			off = hole - BlockSize
			continue
		}
		if !w.block(off) {
			return nil
		}
	}
	return nil
}

// hole visits blocks [from, to) of a sparse file, which nobody wrote, as one
// record.
func (w *blockWalk) hole(from, to int64) bool {
	rec := w.start(from, to-from)
	rec.Fault(CodeStorMagic, "there are no blocks here, but a hole in the file")
	return w.visit(rec, nil)
}

func (w *blockWalk) start(off, n int64) *format.Record {
	begin(&w.rec, w.src, off, n)
	return &w.rec
}

// block visits the records of the block at off.
func (w *blockWalk) block(off int64) bool {
	n := min(BlockSize, w.src.Size()-off)
	b, err := w.win.At(off, int(n))
	if err != nil {
		rec := w.start(off, n)
		rec.Fault(CodeUnreadable, "the block can't be read")
		return w.visit(rec, nil)
	}
	if n < blkData {
		rec := w.start(off, n)
		rec.Fault(CodeStorShort, fmt.Sprintf("the file ends after %d bytes of a block", n))
		return w.visit(rec, nil)
	}
	k := parseBlock(b)
	if !k.recognised() {
		rec := w.start(off, n)
		w.magic(rec, k)
		return w.visit(rec, nil)
	}
	return w.header(off, k) && w.data(off, k)
}

// recognised reports whether the bytes are a block: by magic and version, or
// by the events in it.
func (k *block) recognised() bool {
	return k.h.Magic == magicSTOR && (k.h.Version == blockVersion || k.sum == format.SumBad) || k.intact() > 0
}

// magic notes a wrong magic or version.
func (w *blockWalk) magic(rec *format.Record, k *block) {
	switch m := k.h.Magic; {
	case swapped(m) == magicSTOR:
		rec.Fault(CodeStorMagic, "the block's magic is byte-swapped")
	case m != magicSTOR:
		rec.Fault(CodeStorMagic, fmt.Sprintf("the block's magic is %08x, not %08x", m, uint32(magicSTOR)))
	case k.h.Version != blockVersion && k.sum != format.SumBad:
		rec.Fault(CodeStorMagic, fmt.Sprintf("the block's version is %d, not %d", k.h.Version, blockVersion))
	}
}

// header visits the record of the block's header and table.
func (w *blockWalk) header(off int64, k *block) bool {
	rec := w.start(off, blkData)
	rec.Kind, rec.Sum, rec.Raw = format.Storage, k.sum, k.b[:blkData]
	if w.depth == full {
		rec.Fields = append(rec.Fields, k.fields...)
		entryFields(&rec.Fields, k.b, k.rows)
	}
	w.magic(rec, k)
	w.sum(rec, k)
	for _, d := range k.faults {
		f := rec.Fault(d.code, d.what)
		f.JournalOffset, f.Length, f.Fields = off+int64(d.at), int64(d.n), d.fields
		f.Offset = format.Place(w.src, f.JournalOffset)
	}
	return w.visit(rec, nil)
}

// sum notes what is wrong with the block's sum. When the right magic makes the
// sum right, the magic is all that is wrong.
func (w *blockWalk) sum(rec *format.Record, k *block) {
	switch {
	case k.sum == format.SumUnverifiable:
		rec.Fault(CodeStorShort, fmt.Sprintf("the file ends after %d bytes of a block", len(k.b))).Length = int64(len(k.b))
	case k.sum == format.SumNone:
		rec.Fault(CodeStorChecksumUnset, "the block's checksum was never set")
	case k.sum == format.SumBad && !k.magicOnly():
		f := rec.Fault(CodeStorChecksum, "the block's checksum is wrong").Sums(uint64(k.h.Checksum), uint64(k.got), 4)
		f.Length = BlockSize
		f.Flip(crcTable, k.b, blkSum, le, k.got, k.h.Checksum)
		f.Fields.Uint("block_id", blkID, 8, k.h.ID)
	}
}

func (k *block) magicOnly() bool {
	if k.h.Magic == magicSTOR {
		return false
	}
	mended := append([]byte(nil), k.b...)
	le.PutUint32(mended[blkMagic:], magicSTOR)
	return sumWithout(mended, blkSum) == k.h.Checksum
}

// data visits the events of the block and the gaps between them.
func (w *blockWalk) data(off int64, k *block) bool {
	at := blkData
	for _, h := range k.held {
		if !w.unused(off, at, h.at) {
			return false
		}
		rec := w.start(off+int64(h.at), int64(h.n))
		x := found{b: h.event, raw: k.b[h.at : h.at+h.n], packed: h.packed, sum: sumWithout(h.event, evSum)}
		fillEvent(rec, x, w.depth, &w.chain)
		if !w.visit(rec, h.event) {
			return false
		}
		at = h.at + h.n
	}
	return w.unused(off, at, len(k.b))
}

// unused visits bytes [from, to) of the block at off as a gap, if there are any.
func (w *blockWalk) unused(off int64, from, to int) bool {
	return from == to || w.visit(w.start(off+int64(from), int64(to-from)), nil)
}

// stamps calls each for the intact events in [from, to).
func (s blocks) stamps(ctx context.Context, from, to int64, each func(stamp)) error {
	w := newBlockWalk(ctx, s.src, to-from+BlockSize, bare, func(rec *format.Record, event []byte) bool {
		if event != nil && rec.Sum == format.SumOK && rec.JournalOffset >= from && rec.JournalOffset < to {
			each(stampOf(event))
		}
		return true
	})
	for off := from / BlockSize * BlockSize; off < to; off += BlockSize {
		if err := ctx.Err(); err != nil {
			return err
		}
		if hole := format.NextData(s.src, off) / BlockSize * BlockSize; hole > off+BlockSize {
			off = hole - BlockSize
			continue
		}
		w.block(off)
	}
	return nil
}

// mark is a hash over the file's size and the headers of its first and last
// block.
func (s blocks) mark() string {
	size := s.src.Size()
	first, last := make([]byte, blkEntries), make([]byte, blkEntries)
	n, _ := s.src.ReadAt(first, 0)
	m, _ := s.src.ReadAt(last, max(size-1, 0)/BlockSize*BlockSize)
	return markOf(size, first[:n], last[:m])
}

func (s blocks) describe(a *audit) *format.Info {
	info := &format.Info{Format: nameBlocks, Variant: []string{fmt.Sprint(blockVersion)}}
	size := s.src.Size()
	info.Geometry.Uint("block_size", 0, 0, BlockSize)
	info.Geometry.Uint("blocks", 0, 0, uint64((size+BlockSize-1)/BlockSize))
	info.Geometry.Uint("events", 0, 0, a.events)
	return info
}
