package jbd2test

// FastCommit is a run of units that a TAIL ends. The first one in the area
// begins with a HEAD.
type FastCommit struct {
	Units []Unit
	// Tid is that of HEAD and TAIL; 0 means the one after the log's last.
	Tid uint32
	// Open: the crash came before the TAIL.
	Open bool
}

// Unit is a tag of the fast-commit area with its value.
type Unit struct {
	Tag   uint16
	Value []byte
}

// Tags of the units.
const (
	AddRangeTag = 1
	DelRangeTag = 2
	CreatTag    = 3
	LinkTag     = 4
	UnlinkTag   = 5
	InodeTag    = 6
	PadTag      = 7
	TailTag     = 8
	HeadTag     = 9
)

func words(list ...uint32) (b []byte) {
	for _, x := range list {
		b = le.AppendUint32(b, x)
	}
	return b
}

// AddRange gives blocks to a file.
func AddRange(inode, logical uint32, count uint16, block uint64) Unit {
	v := words(inode, logical)
	v = le.AppendUint16(v, count)
	v = le.AppendUint16(v, uint16(block>>32))
	return Unit{AddRangeTag, le.AppendUint32(v, uint32(block))}
}

// DelRange takes blocks from a file.
func DelRange(inode, logical, count uint32) Unit {
	return Unit{DelRangeTag, words(inode, logical, count)}
}

// Creat, Link and Unlink change a directory.
func Creat(parent, inode uint32, name string) Unit { return named(CreatTag, parent, inode, name) }

// Link: see [Creat].
func Link(parent, inode uint32, name string) Unit { return named(LinkTag, parent, inode, name) }

// Unlink: see [Creat].
func Unlink(parent, inode uint32, name string) Unit { return named(UnlinkTag, parent, inode, name) }

func named(tag uint16, parent, inode uint32, name string) Unit {
	return Unit{tag, append(words(parent, inode), name...)}
}

// Inode is a raw inode of 160 bytes with a mode, links and a size.
func Inode(inode uint32, mode uint16, size uint32) Unit {
	raw := make([]byte, 160)
	le.PutUint16(raw, mode)
	le.PutUint32(raw[4:], size)
	le.PutUint16(raw[26:], 1)
	return Unit{InodeTag, append(words(inode), raw...)}
}

// Pad is n bytes of nothing.
func Pad(n int) Unit { return Unit{PadTag, make([]byte, n)} }

// fastWriter fills the fast-commit area.
type fastWriter struct {
	im  *Image
	pos int64 // byte of the journal
	crc uint32
}

func (im *Image) writeFast(d *dialect) {
	w := &fastWriter{im: im, pos: im.Off(im.FastFirst)}
	for i, c := range im.Fast {
		if c.Tid == 0 {
			c.Tid = im.Seq + uint32(len(im.Log))
			if n := len(im.Log); n > 0 && im.Log[n-1].Open {
				c.Tid--
			}
		}
		w.crc = 0
		if i == 0 {
			w.unit(Unit{HeadTag, words(0, c.Tid)})
		}
		for _, u := range c.Units {
			w.unit(u)
		}
		if !c.Open {
			w.tail(c.Tid)
		}
		im.FastEnds = append(im.FastEnds, w.pos)
	}
}

// left is the room in the block.
func (w *fastWriter) left() int {
	return w.im.BlockSize - int(w.pos%int64(w.im.BlockSize))
}

// reserve leaves room for n bytes and the head of a PAD behind them, as no
// unit crosses a block.
func (w *fastWriter) reserve(n int) {
	if n <= w.left()-4 {
		return
	}
	w.put(Unit{PadTag, make([]byte, w.left()-4)})
}

func (w *fastWriter) put(u Unit) {
	b := le.AppendUint16(nil, u.Tag)
	b = le.AppendUint16(b, uint16(len(u.Value)))
	b = append(b, u.Value...)
	w.crc = CRC32C(w.crc, b)
	w.pos += int64(copy(w.im.Bytes[w.pos:], b))
}

func (w *fastWriter) unit(u Unit) {
	w.reserve(4 + len(u.Value))
	w.put(u)
}

// tail ends a fast commit; its length covers the rest of the block.
func (w *fastWriter) tail(tid uint32) {
	w.reserve(12)
	b := le.AppendUint16(nil, TailTag)
	b = le.AppendUint16(b, uint16(w.left()-4))
	b = append(b, words(tid)...)
	b = append(b, words(CRC32C(w.crc, b))...)
	n := w.left()
	copy(w.im.Bytes[w.pos:], b)
	w.pos += int64(n)
}
