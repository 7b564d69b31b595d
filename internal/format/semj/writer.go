package semj

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/vexfs/vexctl/internal/format"
)

// WriterOptions steer a [Writer].
type WriterOptions struct {
	// Index appends an index. The destination must then be an io.ReaderAt too,
	// since the index is made from what was written.
	Index bool
	// NextEventID is the least value of the header's field; it is raised above
	// every id that is written.
	NextEventID uint64
	// Minor and Flags go to the header as they are; VexFS has 0 in both.
	Minor, Flags uint32
}

// Writer writes a SEMJ file. Events go out as they come; the header is written
// last, so a file whose writer died has none and is for salvage.
type Writer struct {
	dst  io.WriterAt
	opt  WriterOptions
	out  *bufio.Writer
	h    Header
	size int64 // of the file so far
	buf  []byte
	err  error
}

const writeBuffer = 256 << 10

// NewWriter starts a SEMJ file in dst, from its first byte.
func NewWriter(dst io.WriterAt, opt WriterOptions) (*Writer, error) {
	if _, ok := dst.(io.ReaderAt); opt.Index && !ok {
		return nil, errors.New("an index needs a destination that can be read back")
	}
	w := &Writer{dst: dst, opt: opt, size: HeaderSize}
	w.out = bufio.NewWriterSize(io.NewOffsetWriter(dst, HeaderSize), writeBuffer)
	w.h = Header{Magic: magicSEMJ, Major: fileMajor, Minor: opt.Minor, Flags: opt.Flags, NextEventID: opt.NextEventID}
	return w, nil
}

// Append writes one event. Its checksum is made anew. Events go to the file in
// the order of the calls; ids should rise and global sequences be one apart.
func (w *Writer) Append(e *Event) error {
	if w.err != nil {
		return w.err
	}
	if e.ID == math.MaxUint64 {
		return fmt.Errorf("event %d: no id is left above it", e.ID)
	}
	b, err := e.Append(w.buf[:0])
	if err != nil {
		return err
	}
	w.buf = b
	if _, w.err = w.out.Write(b); w.err != nil {
		return w.err
	}
	w.size += int64(len(b))
	w.h.TotalEvents++
	w.h.NextEventID = max(w.h.NextEventID, e.ID+1)
	return nil
}

// Close writes the index, if one is wanted, and the header. It does not close
// the destination. The file is whole when Close returns nil.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.err = w.finish()
	if w.err == nil {
		w.err = errClosed
		return nil
	}
	return w.err
}

var errClosed = errors.New("the writer is closed")

func (w *Writer) finish() error {
	if err := w.out.Flush(); err != nil {
		return err
	}
	if w.opt.Index {
		if err := w.index(); err != nil {
			return fmt.Errorf("write the index: %w", err)
		}
	}
	w.h.JournalSize = uint64(w.size)
	w.h.Checksum = w.h.Sum()
	_, err := w.dst.WriteAt(w.h.Encode(), 0)
	return err
}

// index steps through the events in the file and appends an entry for each.
func (w *Writer) index() error {
	end := w.size
	w.h.IndexOffset = uint64(end)
	w.out.Reset(io.NewOffsetWriter(w.dst, end))
	walk := newWalker(context.Background(), readBack{w.dst.(io.ReaderAt), end}, HeaderSize, end)
	for {
		p, ok, err := walk.next()
		if err != nil {
			return err
		}
		if !ok {
			return w.out.Flush()
		}
		if !p.good() {
			return fmt.Errorf("the event at byte %d was not read back as written: %w", p.off, format.ErrCorrupt)
		}
		x := entryOf(p.raw, p.off)
		if _, err := w.out.Write(x.Encode()); err != nil {
			return err
		}
		w.size += IndexEntrySize
	}
}

// readBack is the file being written, as a Source.
type readBack struct {
	io.ReaderAt
	size int64
}

func (r readBack) Size() int64  { return r.size }
func (r readBack) Name() string { return "journal being written" }
