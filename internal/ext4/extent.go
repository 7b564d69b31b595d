package ext4

// An extent tree's node, in an inode's i_block or in a block of its own:
//
//	0  2  magic F30A        6  2  depth: 0 for a leaf
//	2  2  entries           8  4  generation
//	4  2  most entries     12     entries of 12 bytes
//
// behind the room for the entries of a block: the checksum, 4 bytes. An entry
// of a leaf, and of an index:
//
//	0  4  first logical block    0  4  first logical block
//	4  2  length                 4  4  block of the child, low
//	6  2  physical block, high   8  2  high
//	8  4  low
//
// A length above 32768 marks blocks that are allocated and not yet written.
const (
	extentMagic   = 0xF30A
	extentEntry   = 12
	extentInit    = 32768
	extentDepth   = 5
	extentMaxRoot = 4
)

type extentNode struct {
	b       []byte
	entries int
	max     int
	depth   int
}

// parseExtents checks a node's header; why says what is wrong with it, or is
// empty. b is the i_block or the block.
func parseExtents(b []byte) (n extentNode, why string) {
	n = extentNode{b: b, entries: int(le.Uint16(b[2:])), max: int(le.Uint16(b[4:])), depth: int(le.Uint16(b[6:]))}
	room := len(b)/extentEntry - 1
	switch {
	case le.Uint16(b) != extentMagic:
		return n, "it has no extent header"
	case n.max == 0 || n.max > room:
		return n, "its header claims more entries than it has room for"
	case n.entries > n.max:
		return n, "it claims more entries than its header allows"
	case n.depth > extentDepth:
		return n, "it is deeper than an extent tree can be"
	}
	return n, ""
}

func (n *extentNode) logical(i int) uint64 { return uint64(le.Uint32(n.b[extentEntry*(i+1):])) }

// extent decodes entry i of a leaf.
func (n *extentNode) extent(i int) (logical, physical, length uint64) {
	e := n.b[extentEntry*(i+1):]
	length = uint64(le.Uint16(e[4:]))
	if length > extentInit {
		length -= extentInit
	}
	return uint64(le.Uint32(e)), uint64(le.Uint32(e[8:])) | uint64(le.Uint16(e[6:]))<<32, length
}

// child decodes entry i of an index.
func (n *extentNode) child(i int) (logical, block uint64) {
	e := n.b[extentEntry*(i+1):]
	return uint64(le.Uint32(e)), uint64(le.Uint32(e[4:])) | uint64(le.Uint16(e[8:]))<<32
}

// sumAt is where a block of the tree keeps its checksum, or -1.
func (n *extentNode) sumAt() int {
	at := extentEntry * (n.max + 1)
	if at+4 > len(n.b) {
		return -1
	}
	return at
}

// sum returns the checksum stored in a block of the tree, and the right one.
func (n *extentNode) sum(seed uint32) (stored, right uint32, ok bool) {
	at := n.sumAt()
	if at < 0 {
		return 0, 0, false
	}
	return le.Uint32(n.b[at:]), crc32c(seed, n.b[:at]), true
}
