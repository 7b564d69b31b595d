package semj

import "github.com/vexfs/vexctl/internal/format"

// IndexEntry is one entry of a SEMJ index: an event's key values and place.
type IndexEntry struct {
	ID      uint64
	Type    uint32
	KTime   int64
	TimeSeq uint64
	CPU     uint32
	PID     uint32
	// Offset is the event's first byte in the file.
	Offset uint64
	Size   uint32
	Flags  uint32
}

// DecodeIndexEntry reads an entry; b holds IndexEntrySize bytes.
func DecodeIndexEntry(b []byte) IndexEntry {
	var f format.Fields
	return readIndexEntry(b, &f)
}

func readIndexEntry(b []byte, f *format.Fields) (x IndexEntry) {
	l := layout(b, f, 0)
	x.ID = l.U64("event_id", idxID)
	x.Type = l.U32("event_type", idxType)
	x.KTime = l.I64("ktime", idxKTime)
	x.TimeSeq = l.U64("ts_sequence", idxTimeSeq)
	x.CPU = l.U32("cpu_id", idxCPU)
	x.PID = l.U32("process_id", idxPID)
	x.Offset = l.U64("storage_offset", idxOffset)
	x.Size = l.U32("event_size", idxSize)
	x.Flags = l.U32("index_flags", idxFlags)
	return x
}

// Encode returns the entry's bytes.
func (x *IndexEntry) Encode() []byte {
	b := make([]byte, IndexEntrySize)
	le.PutUint64(b[idxID:], x.ID)
	le.PutUint32(b[idxType:], x.Type)
	le.PutUint64(b[idxKTime:], uint64(x.KTime))
	le.PutUint64(b[idxTimeSeq:], x.TimeSeq)
	le.PutUint32(b[idxCPU:], x.CPU)
	le.PutUint32(b[idxPID:], x.PID)
	le.PutUint64(b[idxOffset:], x.Offset)
	le.PutUint32(b[idxSize:], x.Size)
	le.PutUint32(b[idxFlags:], x.Flags)
	return b
}

// entryOf is the index entry that describes the event with header h at off.
func entryOf(h []byte, off int64) IndexEntry {
	return IndexEntry{
		ID: le.Uint64(h[evID:]), Type: le.Uint32(h[evType:]), KTime: int64(le.Uint64(h[evKTime:])),
		TimeSeq: le.Uint64(h[evTimeSeq:]), CPU: le.Uint32(h[evCPU:]), PID: le.Uint32(h[evPID:]),
		Offset: uint64(off), Size: le.Uint32(h[evSize:]),
	}
}
