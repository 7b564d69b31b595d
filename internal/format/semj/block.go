package semj

import "github.com/vexfs/vexctl/internal/format"

// Block is the header of a STOR block.
type Block struct {
	Magic       uint32
	Version     uint32
	ID          uint64
	Count       uint32 // events in the block
	Used        uint32 // bytes of the data area
	Compression uint32 // 0 none, 1 zlib, 2 LZ4
	Checksum    uint32 // 0 when it was never set
	FirstID     uint64
	LastID      uint64
	Created     int64 // nanoseconds since boot
	Reserved    [16]byte
}

// BlockEntry is one row of a STOR block's table of events.
type BlockEntry struct {
	ID     uint64
	Size   uint32 // of the event
	Stored uint32 // of what is stored: less than Size when compressed
	Offset uint32 // in the data area
	Sum    uint32 // the event's checksum
}

// DecodeBlock reads a block's header. Fields that b is too short for are zero.
func DecodeBlock(b []byte) Block {
	var f format.Fields
	return readBlock(b, &f)
}

func readBlock(b []byte, f *format.Fields) (h Block) {
	if len(b) >= 4 {
		h.Magic = le.Uint32(b)
	}
	l := layout(b, f, 0)
	h.Version = l.U32("version", blkVersion)
	h.ID = l.U64("block_id", blkID)
	h.Count = l.U32("event_count", blkCount)
	h.Used = l.U32("used_space", blkUsed)
	h.Compression = l.U32("compression_type", blkCompress)
	h.Checksum = l.X32("checksum", blkSum)
	h.FirstID = l.U64("first_event_id", blkFirstID)
	h.LastID = l.U64("last_event_id", blkLastID)
	h.Created = l.I64("creation_time", blkTime)
	copy(h.Reserved[:], part(b, blkReserved, len(h.Reserved)))
	return h
}

// encode fills the front of b, which is zero.
func (h *Block) encode(b []byte) {
	le.PutUint32(b[blkMagic:], h.Magic)
	le.PutUint32(b[blkVersion:], h.Version)
	le.PutUint64(b[blkID:], h.ID)
	le.PutUint32(b[blkCount:], h.Count)
	le.PutUint32(b[blkUsed:], h.Used)
	le.PutUint32(b[blkCompress:], h.Compression)
	le.PutUint32(b[blkSum:], h.Checksum)
	le.PutUint64(b[blkFirstID:], h.FirstID)
	le.PutUint64(b[blkLastID:], h.LastID)
	le.PutUint64(b[blkTime:], uint64(h.Created))
	copy(b[blkReserved:], h.Reserved[:])
}

// entryAt is where row i of the table lies in a block.
func entryAt(i int) int { return blkEntries + i*entrySize }

func decodeEntry(b []byte) BlockEntry {
	return BlockEntry{
		ID: le.Uint64(b[entID:]), Size: le.Uint32(b[entSize:]), Stored: le.Uint32(b[entStored:]),
		Offset: le.Uint32(b[entOffset:]), Sum: le.Uint32(b[entSum:]),
	}
}

func (x *BlockEntry) encode(b []byte) {
	le.PutUint64(b[entID:], x.ID)
	le.PutUint32(b[entSize:], x.Size)
	le.PutUint32(b[entStored:], x.Stored)
	le.PutUint32(b[entOffset:], x.Offset)
	le.PutUint32(b[entSum:], x.Sum)
}

// entryFields appends the rows in use as a list of structures.
func entryFields(f *format.Fields, b []byte, rows []int) {
	list := make([]format.Fields, 0, len(rows))
	for _, i := range rows {
		var x format.Fields
		l := layout(b[entryAt(i):entryAt(i+1)], &x, entryAt(i))
		l.U64("event_id", entID)
		l.U32("event_size", entSize)
		l.U32("stored_size", entStored)
		l.U32("offset", entOffset)
		l.X32("checksum", entSum)
		list = append(list, x)
	}
	f.Objects("entries", blkEntries, MaxEntries*entrySize, list)
}
