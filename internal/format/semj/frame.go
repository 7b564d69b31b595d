package semj

import (
	"errors"
	"fmt"
	"io"

	"github.com/vexfs/vexctl/internal/format"
)

// frame is a SEMJ file without its events: the header, and where things are.
type frame struct {
	src  format.Source
	size int64
	// raw holds the header's bytes: fewer than HeaderSize in a short file, none
	// when the device could not read them.
	raw    []byte
	failed bool // the header could not be read
	h      Header
	fields format.Fields
	sum    format.Sum
	got    uint32 // the sum computed
	// magicOnly says that the magic is wrong and nothing else: with the right
	// one the sum would be right.
	magicOnly bool

	events  int64 // where events end
	index   int64 // where the index starts: at events, or at size without one
	entries int64 // whole entries of the index
	missing bool  // the index is not there, or not whole
}

// readFrame reads the header of src.
func readFrame(src format.Source) (*frame, error) {
	f := &frame{src: src, size: src.Size()}
	b := make([]byte, min(f.size, HeaderSize))
	if n, err := src.ReadAt(b, 0); n < len(b) {
		f.failed = true
		if err == nil || errors.Is(err, io.EOF) {
			err = format.ErrTruncated
		}
		f.layOut()
		return f, fmt.Errorf("%s: read the file header: %w", src.Name(), err)
	}
	f.raw = b
	f.h = readHeader(b, &f.fields)
	f.check()
	f.layOut()
	return f, nil
}

// check computes the header's sum.
func (f *frame) check() {
	if len(f.raw) < HeaderSize {
		f.sum = format.SumUnverifiable
		return
	}
	f.got = sumWithout(f.raw, hdrSum)
	if mended := f.h; f.h.Magic != magicSEMJ && f.h.Checksum != 0 {
		mended.Magic = magicSEMJ
		f.magicOnly = mended.Sum() == f.h.Checksum
	}
	switch f.h.Checksum {
	case f.got:
		f.sum = format.SumOK
	case 0:
		f.sum = format.SumNone
	default:
		f.sum = format.SumBad
	}
}

// trusted reports whether the header's numbers can be relied on.
func (f *frame) trusted() bool {
	return f.magicOnly || f.h.Magic == magicSEMJ && (f.sum == format.SumOK || f.sum == format.SumNone)
}

// layOut finds the end of the events and the index.
func (f *frame) layOut() {
	f.events, f.index = f.size, f.size
	at := f.h.IndexOffset
	switch {
	case f.size < HeaderSize || f.failed:
	case f.trusted() && at == 0:
	case f.trusted() && (at < HeaderSize || at > uint64(f.size)):
		f.missing = true
	case f.trusted():
		f.indexed(int64(at))
	default:
		f.guess()
	}
}

// indexed notes an index at off.
func (f *frame) indexed(off int64) {
	f.events, f.index = off, off
	fit := uint64(f.size-off) / IndexEntrySize
	f.entries = int64(min(f.h.TotalEvents, fit))
	f.missing = f.h.TotalEvents > fit
}

// guess looks for the index of a file whose header is damaged: where the
// header says, or the right number of entries before the end. An index that is
// there starts with the entry of the file's first event.
func (f *frame) guess() {
	if at := f.h.IndexOffset; at >= HeaderSize && at < uint64(f.size) && f.startsIndex(int64(at)) {
		f.entriesToEnd(int64(at))
		return
	}
	if n := f.h.TotalEvents; n > 0 && n < uint64(f.size)/IndexEntrySize {
		if at := f.size - int64(n)*IndexEntrySize; at >= HeaderSize && f.startsIndex(at) {
			f.entriesToEnd(at)
		}
	}
}

func (f *frame) entriesToEnd(off int64) {
	f.events, f.index = off, off
	f.entries = (f.size - off) / IndexEntrySize
}

// startsIndex reports whether the entry at off describes the first event.
func (f *frame) startsIndex(off int64) bool {
	var entry [IndexEntrySize]byte
	var head [EventSize]byte
	if n, _ := f.src.ReadAt(entry[:], off); n < len(entry) {
		return false
	}
	if n, _ := f.src.ReadAt(head[:], HeaderSize); n < len(head) {
		return false
	}
	got, want := DecodeIndexEntry(entry[:]), entryOf(head[:], HeaderSize)
	got.Flags = 0
	return got == want
}

// indexEnd is the first byte after the index.
func (f *frame) indexEnd() int64 { return f.index + f.entries*IndexEntrySize }

// padding reports whether off lies beyond the size that a sound header gives:
// what follows the last event there is not the journal's.
func (f *frame) padding(off int64) bool {
	return f.trusted() && f.h.JournalSize >= HeaderSize && uint64(off) >= f.h.JournalSize
}

// swapped returns the value of a magic read in the other byte order.
func swapped(magic uint32) uint32 {
	var b [4]byte
	le.PutUint32(b[:], magic)
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
