package vexf

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// Device is where a journal is written. Bytes that a journal leaves alone keep
// what the device held.
type Device interface {
	io.ReaderAt
	io.WriterAt
}

// Geometry says how a journal is laid out and what its creator stamps into it.
type Geometry struct {
	// StartBlock is the superblock's device block; block b is at byte
	// b x BlockSize of the device.
	StartBlock, TotalBlocks uint64
	// BlockSize is [DefaultBlockSize] when zero.
	BlockSize uint32
	// UID and GID go into every descriptor.
	UID, GID uint32
	// Mode is [V1], or the mode of a version 2 journal.
	Mode Mode
	// RecoveryThreads is what version 2 notes of the machine: the least of
	// four, which zero stands for, and its CPU count.
	RecoveryThreads uint32
}

func (g *Geometry) complete() error {
	if g.BlockSize == 0 {
		g.BlockSize = DefaultBlockSize
	}
	if g.RecoveryThreads == 0 {
		g.RecoveryThreads = 4
	}
	sb := Superblock{VersionMajor: 1, BlockSize: g.BlockSize, TotalBlocks: g.TotalBlocks, StartBlock: g.StartBlock}
	if _, why := sb.unusable(); why != "" {
		return errors.New(why)
	}
	if g.Mode > ModeJournal {
		return fmt.Errorf("journal mode %d is unknown", g.Mode)
	}
	return nil
}

// Writer writes a journal as VexFS did. It is not safe for concurrent use.
type Writer struct {
	dev Device
	g   Geometry
	now func() uint64

	next                        uint64 // sequence of the next log block
	lastID, lastCommitted       uint64 // transactions
	commits, aborts             uint64
	open                        int
	peak, checkpoints, barriers uint64
}

// NewWriter returns a writer of a journal that is not there yet; see
// [Writer.Create]. The clock is in Unix seconds.
func NewWriter(dev Device, g Geometry, now func() uint64) (*Writer, error) {
	if err := g.complete(); err != nil {
		return nil, fmt.Errorf("journal geometry: %w", err)
	}
	return &Writer{dev: dev, g: g, now: now, next: 1}, nil
}

// Sequence is the number of the next log block.
func (w *Writer) Sequence() uint64 { return w.next }

// BlockOf returns the device block that a sequence goes to.
func (w *Writer) BlockOf(seq uint64) uint64 {
	return w.g.StartBlock + 1 + (seq-1)%(w.g.TotalBlocks-1)
}

func (w *Writer) at(block uint64) int64 { return int64(block) * int64(w.g.BlockSize) }

// Create begins the journal anew: it writes the 184 bytes of the superblock
// and nothing else, so that the ring keeps whatever it held.
func (w *Writer) Create() error {
	*w = Writer{dev: w.dev, g: w.g, now: w.now, next: 1}
	var b [sbSize]byte
	le.PutUint32(b[sbMagic:], Magic)
	le.PutUint32(b[sbVersionMajor:], 1)
	le.PutUint32(b[sbFlags:], flagActive|flagChecksum|flagAsyncCommit)
	le.PutUint64(b[sbStartBlock:], w.g.StartBlock)
	le.PutUint64(b[sbTotalBlocks:], w.g.TotalBlocks)
	le.PutUint32(b[sbBlockSize:], w.g.BlockSize)
	le.PutUint32(b[sbMaxTransBlocks:], 1024)
	le.PutUint64(b[sbTail:], w.g.StartBlock+1)
	le.PutUint32(b[sbCommitInterval:], 5000)
	le.PutUint32(b[sbSyncMode:], 1)
	le.PutUint32(b[sbChecksumType:], 1)
	w.renew(b[:])
	return w.write(b[:], w.g.StartBlock)
}

const (
	flagActive      = 0x01
	flagChecksum    = 0x08
	flagAsyncCommit = 0x10
)

// renew brings up to date what every superblock write renews. The sum is made
// over the one before it.
func (w *Writer) renew(b []byte) {
	le.PutUint64(b[sbHead:], w.BlockOf(w.next))
	le.PutUint64(b[sbSequence:], w.next)
	le.PutUint64(b[sbCommitSequence:], w.lastCommitted)
	le.PutUint64(b[sbTotalCommits:], w.commits)
	le.PutUint64(b[sbTotalAborts:], w.aborts)
	le.PutUint32(b[sbChecksum:], Sum(0, b[:sbSumEnd]))
}

func (w *Writer) readSuperblock(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := w.dev.ReadAt(b, w.at(w.g.StartBlock)); err != nil {
		return nil, fmt.Errorf("read the superblock: %w", err)
	}
	return b, nil
}

func (w *Writer) write(b []byte, block uint64) error {
	if _, err := w.dev.WriteAt(b, w.at(block)); err != nil {
		return fmt.Errorf("write block %d: %w", block, err)
	}
	return nil
}

// WriteSuperblock renews the superblock, as a timer and a flush do.
func (w *Writer) WriteSuperblock() error {
	b, err := w.readSuperblock(sbSize)
	if err != nil {
		return err
	}
	w.renew(b)
	return w.write(b, w.g.StartBlock)
}

// Force is a forced commit: a plain superblock write and, in version 2, the
// extension with its SHA-256 after it.
func (w *Writer) Force() error {
	if err := w.WriteSuperblock(); err != nil || w.g.Mode == V1 {
		return err
	}
	b, err := w.readSuperblock(extSize)
	if err != nil {
		return err
	}
	w.extend(b)
	return w.write(b, w.g.StartBlock)
}

const (
	featuresV2      = 0xE0
	featureBarriers = 0x100
)

// extend fills the extension in. The recovery time and the reserved words are
// left as they are: nothing ever writes them.
func (w *Writer) extend(b []byte) {
	features := uint32(featuresV2)
	if w.g.Mode == ModeJournal {
		features |= featureBarriers
	}
	le.PutUint32(b[extJournalMode:], uint32(w.g.Mode))
	le.PutUint32(b[extChecksumAlgorithm:], 2)
	le.PutUint32(b[extConcurrentTrans:], 64)
	le.PutUint32(b[extCommitThreads:], 4)
	le.PutUint32(b[extBufferSize:], 65536)
	le.PutUint32(b[extCheckpointInterval:], 300)
	le.PutUint32(b[extBarrierTimeout:], 5000)
	le.PutUint32(b[extRecoveryThreads:], w.g.RecoveryThreads)
	le.PutUint64(b[extTotalCheckpoints:], w.checkpoints)
	le.PutUint64(b[extTotalBarriers:], w.barriers)
	le.PutUint64(b[extConcurrentPeak:], w.peak)
	le.PutUint32(b[extFeatureFlags:], features)
	sum := sha256.Sum256(b[:extSHA256])
	copy(b[extSHA256:], sum[:])
}

// append writes a body into the next ring block under the next sequence.
func (w *Writer) append(body Body) error {
	seq := w.Skip()
	return w.write(EncodeBlock(int(w.g.BlockSize), seq, body), w.BlockOf(seq))
}

// Skip takes a ring block and its sequence and writes nothing, which is what a
// write that never arrived looks like. It returns the sequence.
func (w *Writer) Skip() uint64 {
	w.next++
	return w.next - 1
}

// Revoke cancels the logged copies of blocks that were written before.
func (w *Writer) Revoke(blocks []uint64) error {
	if most := RevokeCapacity(int(w.g.BlockSize)); len(blocks) > most {
		return fmt.Errorf("revoke %d blocks: a block holds %d", len(blocks), most)
	}
	return w.append(&Revocation{Count: uint32(len(blocks)), Blocks: blocks})
}

var errV1 = errors.New("a journal of version 1 has no such block")

// Checkpoint writes a checkpoint block.
func (w *Writer) Checkpoint() error {
	if w.g.Mode == V1 {
		return fmt.Errorf("checkpoint: %w", errV1)
	}
	w.checkpoints++
	return w.append(&Checkpoint{ID: w.checkpoints, LastCommitted: w.lastCommitted, Active: uint32(w.open), Timestamp: w.now()})
}

// Barrier writes a barrier block of that type.
func (w *Writer) Barrier(kind uint32) error {
	if w.g.Mode == V1 {
		return fmt.Errorf("barrier: %w", errV1)
	}
	w.barriers++
	return w.append(&Barrier{ID: w.barriers, Kind: kind, Timeout: 5000})
}
