package jbd2test

import (
	"fmt"
	"slices"
)

// Build makes the journal. It panics when the description does not fit.
func (j Journal) Build() *Image {
	j.defaults()
	im := &Image{Journal: j, Bytes: make([]byte, int(j.Blocks)*j.BlockSize)}
	d := im.place()
	w := &writer{im: im, d: d, at: max(j.At, d.first), tid: j.Seq}
	for _, t := range j.Log {
		im.Txns = append(im.Txns, w.txn(t))
		w.tid++
	}
	im.Head = w.at
	im.writeFast(d)
	im.writeSuper(w.tid)
	if j.External {
		im.writeDevice()
	}
	return im
}

func (j *Journal) defaults() {
	if j.BlockSize == 0 {
		j.BlockSize = 1024
	}
	if j.Blocks == 0 {
		j.Blocks = 1024 + j.FastBlocks
	}
	if j.External && j.Users == 0 {
		j.Users = 1
	}
	if j.UUID == [16]byte{} {
		copy(j.UUID[:], "a journal's UUID")
	}
}

// place divides the journal into its areas.
func (im *Image) place() *dialect {
	if im.External {
		im.SuperBlock = 1
		if im.BlockSize == 1024 {
			im.SuperBlock = 2
		}
	}
	im.First, im.Last, im.FastFirst = im.SuperBlock+1, im.Blocks, im.Blocks
	if im.FastBlocks > 0 {
		im.Last = im.Blocks - im.FastBlocks
		im.FastFirst = im.Last + 1 // one block belongs to nobody
	}
	d := &dialect{bs: im.BlockSize, sums: im.Sums, bits64: im.Bits64, first: im.First, last: im.Last,
		fastFirst: im.FastFirst, end: im.Blocks, seed: CRC32C(fresh, im.UUID[:])}
	if im.V1 {
		d.seed = CRC32C(fresh, make([]byte, 16))
	}
	return d
}

// writer writes the log, one transaction after the other.
type writer struct {
	im     *Image
	d      *dialect
	at     uint32
	tid    uint32
	seed   uint32
	compat uint32
}

// take returns the next block of the ring, empty.
func (w *writer) take() (n uint32, b []byte) {
	n = w.at
	w.at = w.d.next(n)
	b = w.im.Block(n)
	clear(b)
	return n, b
}

func (w *writer) header(b []byte, typ uint32) {
	be.PutUint32(b, Magic)
	be.PutUint32(b[4:], typ)
	be.PutUint32(b[8:], w.tid)
}

func (w *writer) txn(t Txn) Place {
	p := Place{Tid: w.tid, Start: w.at}
	w.seed, w.compat = w.d.seed, fresh
	if t.Foreign {
		w.seed = CRC32C(fresh, make([]byte, 16))
	}
	for rest := t.Revokes; len(rest) > 0; {
		var n uint32
		n, rest = w.revoke(rest)
		p.Revokes = append(p.Revokes, n)
	}
	for rest := t.Blocks; len(rest) > 0; {
		rest = w.descriptor(t, rest, &p)
	}
	if !t.Open {
		p.Commit = w.commit(t)
	}
	return p
}

// revoke writes as many revokes as fit a block.
func (w *writer) revoke(list []uint64) (at uint32, rest []uint64) {
	at, b := w.take()
	w.header(b, Revoke)
	used := 16
	for len(list) > 0 && used+w.revokeSize() <= w.d.room() {
		if w.im.Bits64 {
			be.PutUint64(b[used:], list[0])
		} else {
			be.PutUint32(b[used:], uint32(list[0]))
		}
		used += w.revokeSize()
		list = list[1:]
	}
	be.PutUint32(b[12:], uint32(used))
	w.d.sealTail(b, w.seed)
	return at, list
}

func (w *writer) revokeSize() int {
	if w.im.Bits64 {
		return 8
	}
	return 4
}

// descriptor writes one descriptor and the blocks it has room for.
func (w *writer) descriptor(t Txn, list []Block, p *Place) (rest []Block) {
	at, b := w.take()
	p.Descriptors = append(p.Descriptors, at)
	w.header(b, Descriptor)
	used, size := 12, w.d.tagSize()
	var stored [][]byte
	for len(list) > 0 && (t.PerDescriptor == 0 || len(stored) < t.PerDescriptor) {
		uuid := t.UUIDs || len(stored) == 0
		step := size
		if uuid {
			step += 16
		}
		if used+step > w.d.room() {
			break
		}
		n, data := w.data(list[0])
		flags := uint16(0)
		if be.Uint32(data) == Magic {
			clear(data[:4])
			flags |= flagEscape
		}
		if !uuid {
			flags |= flagSameUUID
		}
		w.tag(b[used:], list[0].Home, flags, data)
		p.Data = append(p.Data, DataPlace{n, at, list[0].Home, used, flags&flagEscape != 0})
		stored = append(stored, data)
		used += step
		list = list[1:]
	}
	last := b[p.Data[len(p.Data)-1].Tag:]
	be.PutUint16(last[6:], tagFlags(last)|flagLast)
	w.d.sealTail(b, w.seed)
	w.compat = CRC32BE(w.compat, b)
	for _, data := range stored {
		w.compat = CRC32BE(w.compat, data)
	}
	return list
}

func (w *writer) tag(b []byte, home uint64, flags uint16, stored []byte) {
	be.PutUint32(b, uint32(home))
	be.PutUint16(b[6:], flags)
	if w.im.Bits64 {
		be.PutUint32(b[8:], uint32(home>>32))
	}
	w.d.sealTag(b, stored, w.seed, w.tid)
}

// data writes a block's contents.
func (w *writer) data(x Block) (at uint32, b []byte) {
	at, b = w.take()
	if x.Data == nil {
		x.Data = fmt.Appendf(nil, "home %d, tid %d. ", x.Home, w.tid)
		x.Data = slices.Repeat(x.Data, len(b)/len(x.Data))
	}
	copy(b, x.Data)
	return at, b
}

// FirstSec is the commit time of tid 0 where a description gives none.
const FirstSec = 1_700_000_000

func (w *writer) commit(t Txn) uint32 {
	at, b := w.take()
	w.header(b, Commit)
	if t.Sec == 0 {
		t.Sec = FirstSec + uint64(len(w.im.Txns))
	}
	be.PutUint64(b[48:], t.Sec)
	be.PutUint32(b[56:], t.Nsec)
	w.d.sealCommit(b, w.seed, w.compat)
	return at
}

// writeSuper writes the superblock. next is the tid after the last one.
func (im *Image) writeSuper(next uint32) {
	b := im.Super()
	be.PutUint32(b, Magic)
	be.PutUint32(b[4:], SuperV2)
	be.PutUint32(b[0x0C:], uint32(im.BlockSize))
	be.PutUint32(b[0x10:], im.Blocks)
	be.PutUint32(b[0x14:], im.First)
	be.PutUint32(b[0x18:], next)
	if live := im.Live(); len(live) > 0 && !im.Clean {
		be.PutUint32(b[0x18:], live[0].Tid)
		be.PutUint32(b[0x1C:], live[0].Start)
	}
	be.PutUint32(b[0x20:], uint32(im.Errno))
	if im.V1 {
		be.PutUint32(b[4:], SuperV1)
		return
	}
	compat, incompat := im.features()
	be.PutUint32(b[0x24:], compat)
	be.PutUint32(b[0x28:], incompat)
	copy(b[0x30:], im.UUID[:])
	be.PutUint32(b[0x40:], im.Users)
	be.PutUint32(b[0x54:], im.FastBlocks)
	if im.Sums >= V2 {
		b[0x50] = 4
		be.PutUint32(b[0xFC:], without(fresh, b, 0xFC))
	}
}

func (im *Image) features() (compat, incompat uint32) {
	on := func(bit uint32, yes bool) {
		if yes {
			incompat |= bit
		}
	}
	if im.Sums == Compat {
		compat = 1
	}
	on(1, slices.ContainsFunc(im.Log, func(t Txn) bool { return len(t.Revokes) > 0 }))
	on(2, im.Bits64)
	on(4, im.Async)
	on(8, im.Sums == V2)
	on(0x10, im.Sums == V3)
	on(0x20, im.FastBlocks > 0)
	return compat, incompat
}

// writeDevice writes the ext superblock of an external journal's device: what
// makes it one, and no checksum.
func (im *Image) writeDevice() {
	b := im.Bytes[1024:2048]
	le.PutUint32(b[4:], im.Blocks)
	if im.BlockSize == 1024 {
		le.PutUint32(b[0x14:], 1) // first data block
	}
	log := uint32(0)
	for 1024<<log < im.BlockSize {
		log++
	}
	le.PutUint32(b[0x18:], log)
	le.PutUint32(b[0x1C:], log)
	le.PutUint32(b[0x20:], uint32(im.BlockSize*8))
	le.PutUint32(b[0x24:], uint32(im.BlockSize*8))
	le.PutUint16(b[0x38:], 0xEF53)
	le.PutUint16(b[0x3A:], 1)
	le.PutUint32(b[0x4C:], 1)
	le.PutUint16(b[0x58:], 256)
	le.PutUint32(b[0x60:], 0x8) // journal_dev
	copy(b[0x68:], im.UUID[:])
}
