package format

import (
	"bytes"
	"errors"
	"io"
)

// Window reads a Source in large pieces and hands out small ones, for scans
// that go mostly forward. It is not safe for concurrent use.
type Window struct {
	src Source
	buf []byte
	off int64 // of buf[0] in src
	n   int   // valid bytes in buf
}

// NewWindow returns a Window with a buffer of the given size in bytes, which
// bounds the length of one read.
func NewWindow(src Source, size int) *Window {
	return &Window{src: src, buf: make([]byte, size), off: -1}
}

// Drop forgets what is buffered, so that the next read sees the source anew.
func (w *Window) Drop() { w.off, w.n = -1, 0 }

// At returns n bytes at off, valid until the next call. Fewer bytes come with
// [ErrTruncated] (the source ends) or with the cause of a failed read; a bad
// sector elsewhere in the buffered piece does not fail the call.
func (w *Window) At(off int64, n int) ([]byte, error) {
	if w.off >= 0 && off >= w.off && off+int64(n) <= w.off+int64(w.n) {
		i := int(off - w.off)
		return w.buf[i : i+n : i+n], nil
	}
	return w.fill(off, n)
}

func (w *Window) fill(off int64, n int) ([]byte, error) {
	if n > len(w.buf) {
		w.buf = make([]byte, n)
	}
	size := w.src.Size()
	if off < 0 || off >= size {
		return nil, ErrTruncated
	}
	want := int(min(int64(len(w.buf)), size-off))
	got, err := w.src.ReadAt(w.buf[:want], off)
	if got < n && got < want && !errors.Is(err, io.EOF) {
		// Something in the piece can't be read. Perhaps these n bytes can.
		want = min(n, want)
		got, err = w.src.ReadAt(w.buf[:want], off)
	}
	w.off, w.n = off, got
	if got >= n {
		return w.buf[:n:n], nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = ErrTruncated
	}
	return w.buf[:got:got], err
}

// IsZero reports whether b holds only zeros.
func IsZero(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[:len(b)-1], b[1:])
}
