package vexf

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// Superblock is the first block of a journal.
type Superblock struct {
	VersionMajor, VersionMinor, Flags uint32
	StartBlock, TotalBlocks           uint64
	BlockSize, MaxTransBlocks         uint32
	// Head is the device block that the next log block goes to, Sequence the
	// number it gets. CommitSequence is the id of the last transaction that
	// was committed.
	Head, Tail, Sequence, CommitSequence             uint64
	CommitInterval, SyncMode, ChecksumType, Features uint32
	TotalCommits, TotalAborts                        uint64
	RecoveryCount, LastRecoveryTime                  uint64
	Checksum                                         uint32
	// ImpliedPrevious is what the sum field held when Checksum was made, and
	// ChecksumState says what follows: [StateFresh], [StateChained] or
	// [StateInPlace].
	ImpliedPrevious uint32
	ChecksumState   string
	// SHA256State is [StateOK], [StateMismatch] or [StateAbsent].
	SHA256State string
	// Extension is nil when version 2 never wrote its part.
	Extension *Extension
}

// Extension is what version 2 keeps behind the superblock.
type Extension struct {
	JournalMode                                       Mode
	ChecksumAlgorithm, ConcurrentTrans, CommitThreads uint32
	BufferSize, CheckpointInterval, BarrierTimeout    uint32
	RecoveryThreads                                   uint32
	TotalCheckpoints, TotalBarriers, ConcurrentPeak   uint64
	RecoveryTimeTotal                                 uint64
	FeatureFlags                                      uint32
}

// readSuperblock decodes b, which has at least sbSize bytes, and appends its
// fields to f.
func readSuperblock(b []byte, f *format.Fields) *Superblock {
	l := format.Layout{B: b, Order: le, Fields: f}
	l.X32("magic", sbMagic)
	sb := &Superblock{
		VersionMajor:     l.U32("version_major", sbVersionMajor),
		VersionMinor:     l.U32("version_minor", sbVersionMinor),
		Flags:            l.U32("flags", sbFlags),
		StartBlock:       l.U64("start_block", sbStartBlock),
		TotalBlocks:      l.U64("total_blocks", sbTotalBlocks),
		BlockSize:        l.U32("block_size", sbBlockSize),
		MaxTransBlocks:   l.U32("max_trans_blocks", sbMaxTransBlocks),
		Head:             l.U64("head", sbHead),
		Tail:             l.U64("tail", sbTail),
		Sequence:         l.U64("sequence", sbSequence),
		CommitSequence:   l.U64("commit_sequence", sbCommitSequence),
		CommitInterval:   l.U32("commit_interval", sbCommitInterval),
		SyncMode:         l.U32("sync_mode", sbSyncMode),
		ChecksumType:     l.U32("checksum_type", sbChecksumType),
		Features:         l.U32("features", sbFeatures),
		TotalCommits:     l.U64("total_commits", sbTotalCommits),
		TotalAborts:      l.U64("total_aborts", sbTotalAborts),
		RecoveryCount:    l.U64("recovery_count", sbRecoveryCount),
		LastRecoveryTime: l.U64("last_recovery_time", sbLastRecoveryTime),
		Checksum:         l.X32("checksum", sbChecksum),
	}
	sb.ImpliedPrevious = impliedPrevious(b)
	sb.ChecksumState = checksumState(sb.ImpliedPrevious, sb.Checksum)
	f.Hex("implied_previous_checksum", 0, 4, uint64(sb.ImpliedPrevious))
	(*f)[len(*f)-1].Size = 0
	f.Str("checksum_state", 0, 0, sb.ChecksumState)
	sb.SHA256State = superblockSHAState(b)
	f.Str("sha256_state", 0, 0, sb.SHA256State)
	if sb.SHA256State != StateAbsent {
		sb.Extension = readExtension(l)
	}
	return sb
}

func readExtension(l format.Layout) *Extension {
	e := &Extension{
		JournalMode:        Mode(l.U32("journal_mode", extJournalMode)),
		ChecksumAlgorithm:  l.U32("checksum_algorithm", extChecksumAlgorithm),
		ConcurrentTrans:    l.U32("concurrent_trans", extConcurrentTrans),
		CommitThreads:      l.U32("commit_threads", extCommitThreads),
		BufferSize:         l.U32("buffer_size", extBufferSize),
		CheckpointInterval: l.U32("checkpoint_interval", extCheckpointInterval),
		BarrierTimeout:     l.U32("barrier_timeout", extBarrierTimeout),
		RecoveryThreads:    l.U32("recovery_threads", extRecoveryThreads),
		TotalCheckpoints:   l.U64("total_checkpoints", extTotalCheckpoints),
		TotalBarriers:      l.U64("total_barriers", extTotalBarriers),
		ConcurrentPeak:     l.U64("concurrent_peak", extConcurrentPeak),
		RecoveryTimeTotal:  l.U64("recovery_time_total", extRecoveryTimeTotal),
		FeatureFlags:       l.U32("feature_flags", extFeatureFlags),
	}
	l.Bytes("sha256", extSHA256, 32)
	return e
}

func checksumState(previous, stored uint32) string {
	switch previous {
	case 0:
		return StateFresh
	case stored:
		return StateInPlace
	}
	return StateChained
}

// superblockSHAState says whether version 2 wrote its extension, and whether
// its SHA-256 still holds. A journal that was only created has whatever the
// device held in these bytes.
func superblockSHAState(b []byte) string {
	if len(b) < extSize {
		return StateAbsent
	}
	mode := Mode(le.Uint32(b[extJournalMode:]))
	if le.Uint32(b[extChecksumAlgorithm:]) != 2 || mode < ModeOrdered || mode > ModeJournal {
		return StateAbsent
	}
	want := sha256.Sum256(b[:extSHA256])
	if !bytes.Equal(b[extSHA256:extSize], want[:]) {
		return StateMismatch
	}
	return StateOK
}

// isSuperblock reports whether b may be the start of a superblock: where a log
// block has its type, a superblock has its version.
func isSuperblock(b []byte) bool {
	return len(b) >= 8 && le.Uint32(b) == Magic && !Type(le.Uint32(b[sbVersionMajor:])).known()
}

// isLogBlock reports whether b may be the start of a log block.
func isLogBlock(b []byte) bool {
	return len(b) >= 8 && le.Uint32(b) == Magic && Type(le.Uint32(b[hdrType:])).known()
}

// unusable returns the code and the reason why nothing can be read with this
// superblock, or "".
func (sb *Superblock) unusable() (code, why string) {
	switch {
	case sb.VersionMajor != 1:
		return CodeSbVersion, fmt.Sprintf("the superblock has major version %d; only 1 is known", sb.VersionMajor)
	case !powerOfTwoSize(sb.BlockSize):
		return CodeSbGeometry, fmt.Sprintf("a block size of %d bytes is impossible", sb.BlockSize)
	case sb.TotalBlocks < 2:
		return CodeSbGeometry, fmt.Sprintf("%d blocks are no journal", sb.TotalBlocks)
	case sb.TotalBlocks >= 1<<62 || sb.StartBlock >= 1<<62:
		return CodeSbGeometry, fmt.Sprintf("%d blocks from block %d are beyond every device", sb.TotalBlocks, sb.StartBlock)
	}
	return "", ""
}

// Ring is N: how many blocks the log goes around in.
func (sb *Superblock) Ring() uint64 { return sb.TotalBlocks - 1 }

// pointer reports whether head and sequence are possible.
func (sb *Superblock) pointer() bool {
	return sb.Head > sb.StartBlock && sb.Head-sb.StartBlock < sb.TotalBlocks && sb.Sequence >= 1 && sb.Sequence <= maxSequence
}

// shift is A: how far around the ring the log's first sequence lay.
func (sb *Superblock) shift() uint64 {
	n := sb.Ring()
	at := sb.Head - sb.StartBlock - 1
	return (at%n + n - (sb.Sequence-1)%n) % n
}

// sum says what the checksums of a superblock prove.
func (sb *Superblock) sum() format.Sum {
	if sb.ChecksumState != StateChained || sb.SHA256State == StateOK {
		return format.SumOK
	}
	return format.SumUnverifiable
}
