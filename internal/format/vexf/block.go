package vexf

import "github.com/vexfs/vexctl/internal/format"

// Header is what every log block starts with.
type Header struct {
	Type            Type
	Sequence        uint64
	Checksum, Flags uint32
}

func readHeader(b []byte) Header {
	return Header{Type(le.Uint32(b[hdrType:])), le.Uint64(b[hdrSequence:]), le.Uint32(b[hdrChecksum:]), le.Uint32(b[hdrFlags:])}
}

// Body is what a log block holds behind its header: a *[Descriptor], *[Commit],
// *[Revocation], *[DataBlock], *[Checkpoint] or *[Barrier].
type Body interface {
	// Type is the block's type.
	Type() Type
	// put writes the body into a zeroed block, SHA-256 included.
	put(b []byte)
}

// Descriptor opens a transaction and lists the blocks it touched.
type Descriptor struct {
	TransactionID uint64
	// BlockCount is the count on disk; Blocks has no more than the block holds.
	BlockCount    uint32
	OperationType uint32
	Timestamp     uint64
	UID, GID      uint32
	Blocks        []uint64
}

// Commit closes a transaction.
type Commit struct {
	TransactionID, Time                    uint64
	BlockCount, ChecksumType, ListChecksum uint32
}

// Revocation cancels every logged copy of its blocks with a lower sequence.
type Revocation struct {
	Count  uint32
	Blocks []uint64
}

// DataBlock is a logged block. Data is what was stored of it, a view of the
// block that was decoded.
type DataBlock struct {
	OriginalBlock   uint64
	DataSize, Flags uint32
	Data            []byte
}

// Checkpoint marks a known state.
type Checkpoint struct {
	ID, LastCommitted, State                          uint64
	Active, Flags                                     uint32
	MetadataBlocks, DataBlocks, FreeBlocks, Timestamp uint64
}

// Barrier is an ordering mark without a meaning for recovery.
type Barrier struct {
	ID              uint64
	Kind, WaitCount uint32
	Timeout         uint64
	Flags           uint32
}

func (*Descriptor) Type() Type { return TypeDescriptor }
func (*Commit) Type() Type     { return TypeCommit }
func (*Revocation) Type() Type { return TypeRevocation }
func (*DataBlock) Type() Type  { return TypeData }
func (*Checkpoint) Type() Type { return TypeCheckpoint }
func (*Barrier) Type() Type    { return TypeBarrier }

// DecodeBlock decodes a whole log block. It returns a nil Body for a type that
// has none. The sum is not looked at.
func DecodeBlock(b []byte) (Header, Body) {
	var f format.Fields
	return readBlock(b, &f)
}

// readBlock decodes a log block and appends its fields to f.
func readBlock(b []byte, f *format.Fields) (Header, Body) {
	l := format.Layout{B: b, Order: le, Fields: f}
	l.X32("magic", hdrMagic)
	l.U32("type", hdrType)
	l.U64("sequence", hdrSequence)
	l.X32("checksum", hdrChecksum)
	l.U32("flags", hdrFlags)
	h := readHeader(b)
	switch h.Type {
	case TypeDescriptor:
		return h, readDescriptor(l)
	case TypeCommit:
		return h, readCommit(l)
	case TypeRevocation:
		return h, readRevocation(l)
	case TypeData, TypeCheckpoint, TypeBarrier:
		return h, readLong(h.Type, l)
	}
	return h, nil
}

func readLong(t Type, l format.Layout) Body {
	l.U32("data_length", hdrDataLength)
	l.U32("compression_type", hdrCompression)
	l.Bytes("sha256", hdrSHA256, 32)
	switch t {
	case TypeCheckpoint:
		return readCheckpoint(l)
	case TypeBarrier:
		return readBarrier(l)
	}
	return readData(l)
}

func readDescriptor(l format.Layout) *Descriptor {
	d := &Descriptor{
		TransactionID: l.U64("transaction_id", descTransactionID),
		BlockCount:    l.U32("block_count", descBlockCount),
		OperationType: l.U32("operation_type", descOperationType),
		Timestamp:     l.Time64("timestamp", descTimestamp),
		UID:           l.U32("uid", descUID),
		GID:           l.U32("gid", descGID),
	}
	d.Blocks = readList(l, descBlocks, d.BlockCount)
	return d
}

// listBytes is the part of a list at that offset that the block holds.
func listBytes(b []byte, at int, count uint32) []byte {
	n := min(int64(count), int64((len(b)-at)/8))
	return b[at : at+8*int(n)]
}

func readList(l format.Layout, at int, count uint32) []uint64 {
	list := listBytes(l.B, at, count)
	out := make([]uint64, len(list)/8)
	for i := range out {
		out[i] = le.Uint64(list[8*i:])
	}
	l.Fields.Uints("blocks", at, len(list), out)
	return out
}

func readCommit(l format.Layout) *Commit {
	return &Commit{
		TransactionID: l.U64("transaction_id", commitTransactionID),
		Time:          l.Time64("commit_time", commitTime),
		BlockCount:    l.U32("block_count", commitBlockCount),
		ChecksumType:  l.U32("checksum_type", commitChecksumType),
		ListChecksum:  l.X32("list_checksum", commitListChecksum),
	}
}

func readRevocation(l format.Layout) *Revocation {
	r := &Revocation{Count: l.U32("count", revokeCount)}
	r.Blocks = readList(l, revokeBlocks, r.Count)
	return r
}

func readData(l format.Layout) *DataBlock {
	d := &DataBlock{
		OriginalBlock: l.U64("original_block", dataOriginalBlock),
		DataSize:      l.U32("data_size", dataSize),
		Flags:         l.U32("data_flags", dataFlags),
	}
	n := min(int64(d.DataSize), int64(StoredBytes(len(l.B))))
	d.Data = l.B[dataBytes : dataBytes+n]
	l.Fields.Uint("stored", 0, 0, uint64(n))
	return d
}

func readCheckpoint(l format.Layout) *Checkpoint {
	return &Checkpoint{
		ID:             l.U64("checkpoint_id", cpID),
		LastCommitted:  l.U64("last_committed", cpLastCommitted),
		State:          l.U64("filesystem_state", cpState),
		Active:         l.U32("active_transactions", cpActive),
		Flags:          l.U32("checkpoint_flags", cpFlags),
		MetadataBlocks: l.U64("metadata_blocks", cpMetadataBlocks),
		DataBlocks:     l.U64("data_blocks", cpDataBlocks),
		FreeBlocks:     l.U64("free_blocks", cpFreeBlocks),
		Timestamp:      l.Time64("timestamp", cpTimestamp),
	}
}

func readBarrier(l format.Layout) *Barrier {
	return &Barrier{
		ID:        l.U64("barrier_id", barrierID),
		Kind:      l.U32("barrier_type", barrierType),
		WaitCount: l.U32("wait_count", barrierWaitCount),
		Timeout:   l.U64("timeout", barrierTimeout),
		Flags:     l.U32("barrier_flags", barrierFlags),
	}
}
