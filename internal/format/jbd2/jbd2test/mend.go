package jbd2test

// Mend makes every checksum of a journal right, whatever else is wrong with
// it: a fuzzer that calls it gets behind the checksums. Bytes that are no
// journal stay as they are.
func Mend(b []byte) {
	at, bs := findSuper(b)
	if at < 0 {
		return
	}
	d, start := dialectOf(b[at:], at/bs, bs, len(b)/bs)
	if d.sealed() {
		sb := b[at:][:1024]
		be.PutUint32(sb[0xFC:], without(fresh, sb, 0xFC))
	}
	m := &mender{b: b, d: d, compat: fresh}
	m.ring(start)
	m.fast()
}

// Seal makes the checksum of one block of the journal right: superblock,
// descriptor, revoke or (but for the compat checksum) commit.
func (im *Image) Seal(block uint32) {
	if block == im.SuperBlock {
		sb := im.Super()
		be.PutUint32(sb[0xFC:], without(fresh, sb, 0xFC))
		return
	}
	d, b := im.place(), im.Block(block)
	if be.Uint32(b[4:]) == Commit {
		d.sealCommit(b, d.seed, 0)
	} else {
		d.sealTail(b, d.seed)
	}
}

// findSuper returns the offset of the superblock and the block size, or -1.
func findSuper(b []byte) (at, bs int) {
	if len(b) >= 2048+56 && le.Uint16(b[1024+0x38:]) == 0xEF53 && be.Uint32(b) != Magic {
		if at = 1024 << min(le.Uint32(b[1024+0x18:]), 6); at == 1024 {
			at = 2048
		}
	}
	if at+1024 > len(b) || be.Uint32(b[at:]) != Magic {
		return -1, 0
	}
	n := be.Uint32(b[at+0x0C:])
	if n < 1024 || n > 65536 || n&(n-1) != 0 || at%int(n) != 0 {
		return -1, 0
	}
	return at, int(n)
}

// dialectOf reads a superblock; start is where the log starts, 0 if nowhere.
func dialectOf(sb []byte, at, bs, blocks int) (d *dialect, start uint32) {
	d = &dialect{bs: bs, first: uint32(at) + 1, seed: CRC32C(fresh, make([]byte, 16))}
	n := min(be.Uint32(sb[0x10:]), uint32(blocks))
	d.last, d.fastFirst, d.end = n, n, n
	if first := be.Uint32(sb[0x14:]); first >= d.first && first < n {
		d.first = first
	}
	if be.Uint32(sb[4:]) == SuperV2 {
		compat, incompat := be.Uint32(sb[0x24:]), be.Uint32(sb[0x28:])
		d.seed = CRC32C(fresh, sb[0x30:0x40])
		d.bits64 = incompat&2 != 0
		switch {
		case incompat&0x10 != 0:
			d.sums = V3
		case incompat&8 != 0:
			d.sums = V2
		case compat&1 != 0:
			d.sums = Compat
		}
		if fast := be.Uint32(sb[0x54:]); incompat&0x20 != 0 && fast < n && n-fast >= 1024 {
			d.last = n - fast
			d.fastFirst = d.last + 1
		}
	}
	if start = be.Uint32(sb[0x1C:]); start < d.first || start >= d.last {
		start = d.first
	}
	return d, start
}

type mender struct {
	b      []byte
	d      *dialect
	compat uint32
	tid    uint32
}

func (m *mender) block(n uint32) []byte { return m.b[int(n)*m.d.bs:][:m.d.bs] }

// ring goes once around the ring.
func (m *mender) ring(at uint32) {
	if m.d.first >= m.d.last {
		return
	}
	for left := m.d.last - m.d.first; left > 0; {
		b := m.block(at)
		at = m.d.next(at)
		left--
		if be.Uint32(b) != Magic {
			continue
		}
		if tid := be.Uint32(b[8:]); tid != m.tid {
			m.tid, m.compat = tid, fresh
		}
		switch be.Uint32(b[4:]) {
		case Descriptor:
			n := min(m.descriptor(b, at), left)
			left -= n
			for range n {
				m.compat = CRC32BE(m.compat, m.block(at))
				at = m.d.next(at)
			}
		case Revoke:
			m.d.sealTail(b, m.d.seed)
		case Commit:
			m.d.sealCommit(b, m.d.seed, m.compat)
			m.compat = fresh
		}
	}
}

// descriptor seals a descriptor whose blocks begin at block at, and returns
// how many there are.
func (m *mender) descriptor(b []byte, at uint32) (n uint32) {
	size := m.d.tagSize()
	for off := 12; off+size <= m.d.room(); {
		m.d.sealTag(b[off:], m.block(at), m.d.seed, m.tid)
		at = m.d.next(at)
		n++
		flags := tagFlags(b[off:])
		if flags&flagLast != 0 {
			break
		}
		off += size
		if flags&flagSameUUID == 0 {
			off += 16
		}
	}
	m.d.sealTail(b, m.d.seed)
	m.compat = CRC32BE(m.compat, b)
	return n
}

// fast seals every TAIL that can be reached in the fast-commit area.
func (m *mender) fast() {
	end := int(m.d.end) * m.d.bs
	crc := uint32(0)
	for at := int(m.d.fastFirst) * m.d.bs; at+12 <= end; {
		tag, size := le.Uint16(m.b[at:]), 4+int(le.Uint16(m.b[at+2:]))
		left := m.d.bs - at%m.d.bs
		switch {
		case tag == TailTag && left >= 12:
			crc = CRC32C(crc, m.b[at:at+8])
			le.PutUint32(m.b[at+8:], crc)
			crc, size = 0, min(size, left)
		case tag == 0 || tag > HeadTag || size > left:
			return
		default:
			crc = CRC32C(crc, m.b[at:at+size])
		}
		at += size
		if left := m.d.bs - at%m.d.bs; left < 4 {
			at += left
		}
	}
}
