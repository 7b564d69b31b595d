package vexf

import (
	"encoding/binary"

	"github.com/vexfs/vexctl/internal/format"
)

// Magic opens the superblock and every log block: "FXEV" on disk.
const Magic = 0x56455846

// Block sizes that are accepted: powers of two from 512 to 65536. VexFS itself
// knows only 4096.
const (
	MinBlockSize     = 512
	MaxBlockSize     = 65536
	DefaultBlockSize = 4096
)

var le = binary.LittleEndian

// Superblock, 184 bytes. The sum covers bytes 0..179.
const (
	sbMagic            = 0   // u32
	sbVersionMajor     = 4   // u32, 1 for both versions of the journal
	sbVersionMinor     = 8   // u32
	sbFlags            = 12  // u32
	sbStartBlock       = 16  // u64
	sbTotalBlocks      = 24  // u64, superblock included
	sbBlockSize        = 32  // u32
	sbMaxTransBlocks   = 36  // u32
	sbHead             = 40  // u64, the block that comes next
	sbTail             = 48  // u64, never moves
	sbSequence         = 56  // u64, the sequence that comes next
	sbCommitSequence   = 64  // u64, a transaction id in spite of its name
	sbCommitInterval   = 72  // u32, ms
	sbSyncMode         = 76  // u32
	sbChecksumType     = 80  // u32
	sbFeatures         = 84  // u32
	sbTotalCommits     = 88  // u64
	sbTotalAborts      = 96  // u64
	sbRecoveryCount    = 104 // u64
	sbLastRecoveryTime = 112 // u64
	sbChecksum         = 120 // u32
	sbSumEnd           = 180
	sbSize             = 184
)

// Extension of the superblock by version 2. The SHA-256 covers bytes 0..299.
const (
	extJournalMode        = 184 // u32
	extChecksumAlgorithm  = 188 // u32, 2 = SHA-256
	extConcurrentTrans    = 192 // u32
	extCommitThreads      = 196 // u32
	extBufferSize         = 200 // u32
	extCheckpointInterval = 204 // u32, s
	extBarrierTimeout     = 208 // u32, ms
	extRecoveryThreads    = 212 // u32
	extTotalCheckpoints   = 216 // u64
	extTotalBarriers      = 224 // u64
	extConcurrentPeak     = 232 // u64
	extRecoveryTimeTotal  = 240 // u64
	extFeatureFlags       = 248 // u32
	extSHA256             = 300 // 32 bytes
	extSize               = 332
)

// Block header, 24 bytes, and the long one of types 6 to 8, 72 bytes. The sum
// covers all of the block but its last four bytes.
const (
	hdrMagic       = 0  // u32
	hdrType        = 4  // u32
	hdrSequence    = 8  // u64
	hdrChecksum    = 16 // u32
	hdrFlags       = 20 // u32
	hdrDataLength  = 24 // u32
	hdrCompression = 28 // u32
	hdrSHA256      = 32 // 32 bytes
	sumTail        = 4  // bytes at a block's end that no sum covers
)

// Descriptor: 56 bytes, then eight bytes for each block number.
const (
	descTransactionID = 24 // u64
	descBlockCount    = 32 // u32
	descOperationType = 36 // u32
	descTimestamp     = 40 // u64, s
	descUID           = 48 // u32
	descGID           = 52 // u32
	descBlocks        = 56
)

// Commit: 64 bytes.
const (
	commitTransactionID = 24 // u64
	commitTime          = 32 // u64, s
	commitBlockCount    = 40 // u32
	commitChecksumType  = 44 // u32
	commitListChecksum  = 48 // u32
)

// Revocation: 32 bytes, then eight bytes for each block number.
const (
	revokeCount  = 24 // u32
	revokeBlocks = 32
)

// Data block: 88 bytes, then as much of the logged block as fits.
const (
	dataOriginalBlock = 72 // u64
	dataSize          = 80 // u32
	dataFlags         = 84 // u32
	dataBytes         = 88
)

// Checkpoint: 136 bytes, of which the SHA-256 covers 104.
const (
	cpID             = 72  // u64
	cpLastCommitted  = 80  // u64, a transaction id
	cpState          = 88  // u64
	cpActive         = 96  // u32
	cpFlags          = 100 // u32
	cpMetadataBlocks = 104 // u64
	cpDataBlocks     = 112 // u64
	cpFreeBlocks     = 120 // u64
	cpTimestamp      = 128 // u64, s
	cpSHAEnd         = 104
)

// Barrier: 112 bytes, of which the SHA-256 covers 80.
const (
	barrierID        = 72 // u64
	barrierType      = 80 // u32
	barrierWaitCount = 84 // u32
	barrierTimeout   = 88 // u64
	barrierFlags     = 96 // u32
	barrierSHAEnd    = 80
)

// Type is the type of a log block.
type Type uint32

const (
	TypeSuperblock Type = 1 // declared, and never on disk
	TypeDescriptor Type = 2
	TypeRaw        Type = 3 // data of version 1: declared, and never on disk
	TypeCommit     Type = 4
	TypeRevocation Type = 5
	TypeData       Type = 6
	TypeCheckpoint Type = 7
	TypeBarrier    Type = 8
)

// known reports whether t is a type that a log block may have.
func (t Type) known() bool { return t >= TypeDescriptor && t <= TypeBarrier }

// kind is what a record of that type is called; a gap when it has no name.
func (t Type) kind() format.Kind {
	switch t {
	case TypeDescriptor:
		return format.Descriptor
	case TypeRaw, TypeData:
		return format.Data
	case TypeCommit:
		return format.Commit
	case TypeRevocation:
		return format.Revoke
	case TypeCheckpoint:
		return format.Checkpoint
	case TypeBarrier:
		return format.Barrier
	}
	return format.Gap
}

// Mode is the journal mode of version 2.
type Mode uint32

const (
	V1            Mode = 0 // a journal of version 1
	ModeOrdered   Mode = 1
	ModeWriteback Mode = 2
	ModeJournal   Mode = 3 // contents are logged
)

var modeNames = [...]string{"none", "ordered", "writeback", "journal"}

// String returns the mode's name.
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return "unknown"
}

// ListCapacity is how many block numbers a descriptor of that block size holds.
func ListCapacity(blockSize int) int { return (blockSize - descBlocks) / 8 }

// RevokeCapacity is how many block numbers a revocation of that size holds.
func RevokeCapacity(blockSize int) int { return (blockSize - revokeBlocks) / 8 }

// StoredBytes is how much of a logged block fits behind the header.
func StoredBytes(blockSize int) int { return blockSize - dataBytes }

func powerOfTwoSize(n uint32) bool {
	return n >= MinBlockSize && n <= MaxBlockSize && n&(n-1) == 0
}
