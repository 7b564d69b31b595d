package semj

import (
	"encoding/binary"

	"github.com/vexfs/vexctl/internal/format"
)

// Magic numbers, as little-endian integers.
const (
	magicSEMJ = 0x53454D4A
	magicSTOR = 0x53544F52
)

// Sizes in bytes.
const (
	HeaderSize     = 52   // SEMJ file header
	EventSize      = 132  // event header
	ContextSize    = 5280 // context of an event that has one
	LinkSize       = 160  // causality link
	IndexEntrySize = 52   // index entry

	MaxPayload  = 65536
	MaxMetadata = 2048
	MaxLinks    = 256
	// MaxEvent is the size of the largest event within all limits.
	MaxEvent = EventSize + ContextSize + MaxPayload + MaxMetadata + MaxLinks*LinkSize
)

// Offsets in the SEMJ file header.
const (
	hdrMagic     = 0  // 4
	hdrMajor     = 4  // 4
	hdrMinor     = 8  // 4
	hdrTotal     = 12 // 8
	hdrNextID    = 20 // 8
	hdrSize      = 28 // 8
	hdrIndex     = 36 // 8
	hdrFlags     = 44 // 4
	hdrSum       = 48 // 4
	fileMajor    = 1
	eventVersion = 1
)

// Offsets in the event header.
const (
	evID         = 0   // 8
	evType       = 8   // 4
	evSubtype    = 12  // 4
	evKTime      = 16  // 8, signed nanoseconds
	evTimeSeq    = 24  // 8
	evCPU        = 32  // 4
	evPID        = 36  // 4
	evGlobalSeq  = 40  // 8
	evLocalSeq   = 48  // 8
	evFlags      = 56  // 4
	evPriority   = 60  // 4
	evSize       = 64  // 4
	evContext    = 68  // 4, size
	evPayload    = 72  // 4, size
	evMetadata   = 76  // 4, size
	evVersion    = 80  // 4
	evSum        = 84  // 4
	evCompress   = 88  // 4
	evEncrypt    = 92  // 4
	evLinks      = 96  // 4, count
	evParent     = 100 // 8
	evRoot       = 108 // 8
	evVisibility = 116 // 8
	evRelevance  = 124 // 4
	evReplay     = 128 // 4
)

// Offsets in the context.
const (
	ctxTransaction = 0    // 8
	ctxSession     = 8    // 8
	ctxChain       = 16   // 8
	ctxPath        = 24   // 4096
	ctxInode       = 4120 // 8
	ctxFileType    = 4128 // 4
	ctxGraphNode   = 4132 // 8
	ctxGraphEdge   = 4140 // 8
	ctxGraphOp     = 4148 // 4
	ctxVectorID    = 4152 // 8
	ctxVectorDims  = 4160 // 4
	ctxVectorElem  = 4164 // 4
	ctxAgentID     = 4168 // 64
	ctxAgentIntent = 4232 // 256
	ctxAgentConf   = 4488 // 4
	ctxLoad        = 4492 // 4
	ctxMemory      = 4496 // 8
	ctxPressure    = 4504 // 4
	ctxTags        = 4508 // 512
	ctxIntent      = 5020 // 256
	ctxIntentConf  = 5276 // 4
	lenPath        = 4096
	lenAgentID     = 64
	lenIntent      = 256
	lenTags        = 512
	lenLinkText    = 128
)

// Offsets in a causality link.
const (
	lnkCause    = 0  // 8
	lnkEffect   = 8  // 8
	lnkType     = 16 // 4
	lnkStrength = 20 // 4
	lnkDelay    = 24 // 8, signed nanoseconds
	lnkText     = 32 // 128
)

// Offsets in an index entry.
const (
	idxID      = 0  // 8
	idxType    = 8  // 4
	idxKTime   = 12 // 8
	idxTimeSeq = 20 // 8
	idxCPU     = 28 // 4
	idxPID     = 32 // 4
	idxOffset  = 36 // 8
	idxSize    = 44 // 4
	idxFlags   = 48 // 4
)

// A STOR block.
const (
	BlockSize    = 4096
	MaxEntries   = 64
	entrySize    = 24
	blkEntries   = 72
	blkData      = blkEntries + MaxEntries*entrySize // 1608
	DataArea     = BlockSize - blkData               // 2488
	blockVersion = 1

	blkMagic    = 0  // 4
	blkVersion  = 4  // 4
	blkID       = 8  // 8
	blkCount    = 16 // 4
	blkUsed     = 20 // 4
	blkCompress = 24 // 4
	blkSum      = 28 // 4
	blkFirstID  = 32 // 8
	blkLastID   = 40 // 8
	blkTime     = 48 // 8
	blkReserved = 56 // 16

	entID     = 0  // 8
	entSize   = 8  // 4
	entStored = 12 // 4
	entOffset = 16 // 4
	entSum    = 20 // 4
)

var le = binary.LittleEndian

// layout reads fields of b into f; base is where b starts in its record.
func layout(b []byte, f *format.Fields, base int) format.Layout {
	return format.Layout{B: b, Order: le, Fields: f, Base: base}
}
