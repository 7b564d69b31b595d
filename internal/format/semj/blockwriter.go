package semj

import (
	"fmt"
	"io"
)

// BlockWriter writes STOR blocks one after another. It stores compact events,
// uncompressed; everything else is refused.
type BlockWriter struct {
	dst  io.Writer
	h    Block
	b    [BlockSize]byte
	buf  []byte
	done uint64 // blocks written
	err  error
}

// NewBlockWriter starts a file of STOR blocks in dst.
func NewBlockWriter(dst io.Writer) *BlockWriter {
	w := &BlockWriter{dst: dst}
	w.begin()
	return w
}

// begin empties the block.
func (w *BlockWriter) begin() {
	w.b = [BlockSize]byte{}
	w.h = Block{Magic: magicSTOR, Version: blockVersion, ID: w.done + 1}
}

// Append stores one event, in a new block when the last one is full. An event
// with a context, or larger than the data area, gives [ErrTooLarge].
func (w *BlockWriter) Append(e *Event) error {
	if w.err != nil {
		return w.err
	}
	if e.Context != nil {
		return fmt.Errorf("event %d has a context: %w", e.ID, ErrTooLarge)
	}
	if n := e.Size(); n > DataArea {
		return fmt.Errorf("event %d has %d bytes, a block %d: %w", e.ID, n, DataArea, ErrTooLarge)
	}
	b, err := e.Append(w.buf[:0])
	if err != nil {
		return err
	}
	w.buf = b
	if w.h.Count == MaxEntries || int(w.h.Used)+len(b) > DataArea {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.put(e, b)
	return nil
}

// put adds the event b to the block, where it has room.
func (w *BlockWriter) put(e *Event, b []byte) {
	if w.h.Count == 0 {
		w.h.FirstID, w.h.Created = e.ID, e.KTime
	}
	n := uint32(len(b))
	x := BlockEntry{ID: e.ID, Size: n, Stored: n, Offset: w.h.Used, Sum: le.Uint32(b[evSum:])}
	x.encode(w.b[entryAt(int(w.h.Count)):])
	copy(w.b[blkData+w.h.Used:], b)
	w.h.LastID = e.ID
	w.h.Used += n
	w.h.Count++
}

// flush writes the block and begins the next one.
func (w *BlockWriter) flush() error {
	w.h.encode(w.b[:])
	le.PutUint32(w.b[blkSum:], sumWithout(w.b[:], blkSum))
	if _, w.err = w.dst.Write(w.b[:]); w.err != nil {
		return w.err
	}
	w.done++
	w.begin()
	return nil
}

// Close writes the last block; a file without events is one empty block. It
// does not close the destination.
func (w *BlockWriter) Close() error {
	if w.err != nil {
		return w.err
	}
	if w.h.Count > 0 || w.done == 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.err = errClosed
	return nil
}
