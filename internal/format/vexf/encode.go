package vexf

// EncodeBlock makes a log block of that size: header, body and sums. Unused
// bytes are zero, as they are on disk.
func EncodeBlock(size int, seq uint64, body Body) []byte {
	b := make([]byte, size)
	le.PutUint32(b[hdrMagic:], Magic)
	le.PutUint32(b[hdrType:], uint32(body.Type()))
	le.PutUint64(b[hdrSequence:], seq)
	body.put(b)
	le.PutUint32(b[hdrChecksum:], blockSum(b))
	return b
}

func putList(b []byte, at int, blocks []uint64) {
	for i, n := range blocks {
		le.PutUint64(b[at+8*i:], n)
	}
}

func (d *Descriptor) put(b []byte) {
	le.PutUint64(b[descTransactionID:], d.TransactionID)
	le.PutUint32(b[descBlockCount:], d.BlockCount)
	le.PutUint32(b[descOperationType:], d.OperationType)
	le.PutUint64(b[descTimestamp:], d.Timestamp)
	le.PutUint32(b[descUID:], d.UID)
	le.PutUint32(b[descGID:], d.GID)
	putList(b, descBlocks, d.Blocks)
}

func (c *Commit) put(b []byte) {
	le.PutUint64(b[commitTransactionID:], c.TransactionID)
	le.PutUint64(b[commitTime:], c.Time)
	le.PutUint32(b[commitBlockCount:], c.BlockCount)
	le.PutUint32(b[commitChecksumType:], c.ChecksumType)
	le.PutUint32(b[commitListChecksum:], c.ListChecksum)
}

func (r *Revocation) put(b []byte) {
	le.PutUint32(b[revokeCount:], r.Count)
	putList(b, revokeBlocks, r.Blocks)
}

func (d *DataBlock) put(b []byte) {
	le.PutUint64(b[dataOriginalBlock:], d.OriginalBlock)
	le.PutUint32(b[dataSize:], d.DataSize)
	le.PutUint32(b[dataFlags:], d.Flags)
	copy(b[dataBytes:], d.Data)
	sum := dataSHA(b[dataBytes:], dataBytes)
	copy(b[hdrSHA256:], sum[:])
}

func (c *Checkpoint) put(b []byte) {
	le.PutUint64(b[cpID:], c.ID)
	le.PutUint64(b[cpLastCommitted:], c.LastCommitted)
	le.PutUint64(b[cpState:], c.State)
	le.PutUint32(b[cpActive:], c.Active)
	le.PutUint32(b[cpFlags:], c.Flags)
	le.PutUint64(b[cpMetadataBlocks:], c.MetadataBlocks)
	le.PutUint64(b[cpDataBlocks:], c.DataBlocks)
	le.PutUint64(b[cpFreeBlocks:], c.FreeBlocks)
	le.PutUint64(b[cpTimestamp:], c.Timestamp)
	sum := structSHA(b, cpSHAEnd)
	copy(b[hdrSHA256:], sum[:])
}

func (r *Barrier) put(b []byte) {
	le.PutUint64(b[barrierID:], r.ID)
	le.PutUint32(b[barrierType:], r.Kind)
	le.PutUint32(b[barrierWaitCount:], r.WaitCount)
	le.PutUint64(b[barrierTimeout:], r.Timeout)
	le.PutUint32(b[barrierFlags:], r.Flags)
	sum := structSHA(b, barrierSHAEnd)
	copy(b[hdrSHA256:], sum[:])
}
