package jbd2

// Tag layouts, by checksum version and 64BIT; a tag without SAME_UUID is
// followed by 16 UUID bytes, which nobody checks:
//
//	none or compat, 32 bit   8  blocknr 4, (0) 2, flags 2
//	none or compat, 64BIT   12  blocknr 4, (0) 2, flags 2, blocknr_high 4
//	v2, 32 bit              10  blocknr 4, checksum 2, flags 2, pad 2
//	v2, 64BIT               14  blocknr 4, checksum 2, flags 2, blocknr_high 4, pad 2
//	v3                      16  blocknr 4, flags 4, blocknr_high 4, checksum 4
type tag struct {
	block uint64
	flags uint16
	sum   uint32
	at    int32 // byte offset in the descriptor
}

func (g *geometry) tagSize() int {
	if g.csum == csumV3 {
		return 16
	}
	n := 8
	if g.csum == csumV2 {
		n += 2
	}
	if g.bits64 {
		n += 4
	}
	return n
}

// tags appends the tags of descriptor block b to list. complete is false when
// the block ran out before a tag said that it was the last.
func (g *geometry) tags(list []tag, b []byte) (_ []tag, complete bool) {
	end := len(b) - g.tail()
	for at := headerSize; at+g.tagBytes <= end; {
		t := g.tag(b[at:])
		t.at = int32(at)
		list = append(list, t)
		if t.flags&flagLastTag != 0 {
			return list, true
		}
		at += g.tagBytes
		if t.flags&flagSameUUID == 0 {
			at += uuidSize
		}
	}
	return list, false
}

func (g *geometry) tag(b []byte) tag {
	t := tag{block: uint64(be.Uint32(b)), flags: be.Uint16(b[6:])}
	if g.bits64 {
		t.block |= uint64(be.Uint32(b[8:])) << 32
	}
	switch g.csum {
	case csumV3:
		t.sum = be.Uint32(b[12:])
	case csumV2:
		t.sum = uint32(be.Uint16(b[4:]))
	}
	return t
}

// countTags is the number of tags of a descriptor block.
func (g *geometry) countTags(b []byte) uint32 {
	n := uint32(0)
	end := len(b) - g.tail()
	for at := headerSize; at+g.tagBytes <= end; {
		n++
		flags := be.Uint16(b[at+6:])
		if flags&flagLastTag != 0 {
			break
		}
		at += g.tagBytes
		if flags&flagSameUUID == 0 {
			at += uuidSize
		}
	}
	return n
}

// revokes returns the block numbers in a revoke block. ok is false when its
// count claims more than the block holds, which the kernel refuses.
func (g *geometry) revokes(b []byte) (list []uint64, ok bool) {
	ok = g.eachRevoke(b, func(block uint64) { list = append(list, block) })
	return list, ok
}

// eachRevoke visits the block numbers in a revoke block.
func (g *geometry) eachRevoke(b []byte, visit func(block uint64)) (ok bool) {
	size := 4
	if g.bits64 {
		size = 8
	}
	count := int64(be.Uint32(b[12:]))
	room := int64(len(b) - g.tail())
	ok = count <= room
	end := int(min(count, room))
	for at := revokeHead; at+size <= end; at += size {
		if g.bits64 {
			visit(be.Uint64(b[at:]))
		} else {
			visit(uint64(be.Uint32(b[at:])))
		}
	}
	return ok
}

// unescape gives a logged block its first four bytes back.
func unescape(t tag, b []byte) {
	if t.flags&flagEscape != 0 && len(b) >= 4 {
		be.PutUint32(b, magic)
	}
}
