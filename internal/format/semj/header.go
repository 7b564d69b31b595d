package semj

import "github.com/vexfs/vexctl/internal/format"

// Header is the SEMJ file header.
type Header struct {
	Magic        uint32
	Major, Minor uint32
	// TotalEvents counts the event records of the file.
	TotalEvents uint64
	// NextEventID is above every id in the file.
	NextEventID uint64
	// JournalSize is the file's size in bytes.
	JournalSize uint64
	// IndexOffset is the index's first byte, or 0 without an index.
	IndexOffset uint64
	Flags       uint32
	// Checksum is 0 when it was never set.
	Checksum uint32
}

// DecodeHeader reads a file header. Fields that b is too short for are zero.
func DecodeHeader(b []byte) Header {
	var f format.Fields
	return readHeader(b, &f)
}

func readHeader(b []byte, f *format.Fields) (h Header) {
	if len(b) >= 4 {
		h.Magic = le.Uint32(b)
	}
	l := layout(b, f, 0)
	h.Major = l.U32("version_major", hdrMajor)
	h.Minor = l.U32("version_minor", hdrMinor)
	h.TotalEvents = l.U64("total_events", hdrTotal)
	h.NextEventID = l.U64("next_event_id", hdrNextID)
	h.JournalSize = l.U64("journal_size", hdrSize)
	h.IndexOffset = l.U64("index_offset", hdrIndex)
	h.Flags = l.U32("flags", hdrFlags)
	h.Checksum = l.X32("checksum", hdrSum)
	return h
}

// Encode returns the header's bytes, with the checksum as h has it.
func (h *Header) Encode() []byte {
	b := make([]byte, HeaderSize)
	le.PutUint32(b[hdrMagic:], h.Magic)
	le.PutUint32(b[hdrMajor:], h.Major)
	le.PutUint32(b[hdrMinor:], h.Minor)
	le.PutUint64(b[hdrTotal:], h.TotalEvents)
	le.PutUint64(b[hdrNextID:], h.NextEventID)
	le.PutUint64(b[hdrSize:], h.JournalSize)
	le.PutUint64(b[hdrIndex:], h.IndexOffset)
	le.PutUint32(b[hdrFlags:], h.Flags)
	le.PutUint32(b[hdrSum:], h.Checksum)
	return b
}

// Sum is the checksum that belongs to h.
func (h *Header) Sum() uint32 { return sumWithout(h.Encode(), hdrSum) }
