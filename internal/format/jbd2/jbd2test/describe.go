package jbd2test

// Sums is the sort of checksums that a journal has.
type Sums uint8

const (
	None   Sums = iota
	Compat      // one CRC-32 a transaction
	V2          // CRC-32C, 16 bits of it for data
	V3          // CRC-32C
)

// Journal describes a journal. Its zero value is an empty one without
// checksums: 1024 blocks of 1 KiB.
type Journal struct {
	BlockSize int    // 0: 1024
	Blocks    uint32 // s_maxlen; 0: 1024, the least that the kernel takes
	Sums      Sums
	Bits64    bool
	Async     bool
	V1        bool // a version 1 superblock
	// External places the journal on a device of its own, behind an ext
	// superblock.
	External bool
	Users    uint32 // s_nr_users; 0: 1 for an external journal
	UUID     [16]byte
	Errno    int32

	// Log is everything that was ever written, in order. What does not fit
	// the ring overwrites what was written first.
	Log []Txn
	// Seq is the tid of Log[0], At the block where it starts; At 0 is the
	// ring's first block.
	Seq, At uint32
	// Tail is the index of the first transaction that is not checkpointed.
	// Clean: all are, and s_start is 0.
	Tail  int
	Clean bool

	// FastBlocks is the size of the fast-commit area, 0 for none.
	FastBlocks uint32
	Fast       []FastCommit
}

// Txn is a transaction.
type Txn struct {
	Blocks  []Block
	Revokes []uint64
	// Sec and Nsec are the commit time; Sec 0 means a time that grows with
	// the tid.
	Sec  uint64
	Nsec uint32
	// PerDescriptor limits the tags of one descriptor; 0: as many as fit.
	PerDescriptor int
	// UUIDs puts a UUID after every tag, not only the first.
	UUIDs bool
	// Open: the crash came before the commit block.
	Open bool
	// Foreign: sealed for a journal with another UUID.
	Foreign bool
}

// Block is a logged block. Nil Data stands for text that names the block and
// its transaction; data that begins with the journal's magic is escaped.
type Block struct {
	Home uint64
	Data []byte
}

// Homes describes n blocks whose homes are consecutive.
func Homes(first uint64, n int) []Block {
	out := make([]Block, n)
	for i := range out {
		out[i].Home = first + uint64(i)
	}
	return out
}

// Image is a journal in bytes, with the places of its parts.
type Image struct {
	Journal
	Bytes []byte
	// SuperBlock is the block of the superblock, [First, Last) the ring,
	// [FastFirst, Blocks) the fast-commit area.
	SuperBlock, First, Last, FastFirst uint32
	// Txns are where the transactions of Log went.
	Txns []Place
	// Head is the block after the last of them.
	Head uint32
	// FastEnds are the byte offsets at which the fast commits end.
	FastEnds []int64
}

// Place says where a transaction lies; numbers are journal blocks.
type Place struct {
	Tid         uint32
	Start       uint32
	Revokes     []uint32
	Descriptors []uint32
	Data        []DataPlace
	Commit      uint32 // 0 for an open transaction
}

// DataPlace says where a logged block and its tag lie.
type DataPlace struct {
	Block, Descriptor uint32
	Home              uint64
	Tag               int // byte of the descriptor
	Escaped           bool
}

// Live returns the places of the transactions from the tail on.
func (im *Image) Live() []Place { return im.Txns[min(im.Tail, len(im.Txns)):] }

// Off is the byte offset of a journal block.
func (im *Image) Off(block uint32) int64 { return int64(block) * int64(im.BlockSize) }

// Block returns a block's bytes, for reading and writing.
func (im *Image) Block(n uint32) []byte {
	return im.Bytes[im.Off(n):][:im.BlockSize:im.BlockSize]
}

// Super returns the superblock's bytes.
func (im *Image) Super() []byte { return im.Block(im.SuperBlock)[:1024] }

// Flip flips a bit of the byte at off.
func (im *Image) Flip(off int64, bit int) { im.Bytes[off] ^= 1 << bit }

// All lists the blocks of the transaction.
func (p *Place) All() []uint32 {
	out := append(append([]uint32{}, p.Revokes...), p.Descriptors...)
	for _, d := range p.Data {
		out = append(out, d.Block)
	}
	if p.Commit != 0 {
		out = append(out, p.Commit)
	}
	return out
}
