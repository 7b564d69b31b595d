package ext4

const (
	xattrMagic  = 0xEA020000
	orphanMagic = 0x0B10CA04
)

// sniff says what the contents of a block look like, or unknown. It is careful:
// file contents must not pass for structure.
func (s *Super) sniff(b []byte) kind {
	switch first := le.Uint32(b); {
	case first == xattrMagic:
		if le.Uint32(b[8:]) == 1 {
			return kindXattr
		}
	case first&0xffff == extentMagic:
		if s.Incompat&incompatExtents != 0 && s.looksLikeExtents(b) {
			return kindExtents
		}
	case uint64(first) <= uint64(s.Inodes):
		return s.sniffInodeFirst(b)
	}
	if s.looksLikeOrphans(b) {
		return kindOrphans
	}
	return kindUnknown
}

// sniffInodeFirst looks at what starts like an inode's number, or a block's.
func (s *Super) sniffInodeFirst(b []byte) kind {
	switch {
	case s.looksLikeIndex(b):
		return kindIndex
	case s.looksLikeDirectory(b):
		return kindDirectory
	case s.looksLikeOrphans(b):
		return kindOrphans
	case s.looksLikeIndirect(b):
		return kindIndirect
	}
	return kindUnknown
}

func (s *Super) looksLikeOrphans(b []byte) bool {
	return s.Compat&compatOrphanFile != 0 && le.Uint32(b[len(b)-8:]) == orphanMagic
}

// looksLikeExtents: the header of a block of its own, as full as it must be to
// the byte, and a first entry that makes sense.
func (s *Super) looksLikeExtents(b []byte) bool {
	n, why := parseExtents(b)
	room := (len(b) - extentEntry) / extentEntry
	if why != "" || n.depth >= extentDepth || n.max != room {
		return false
	}
	if n.entries == 0 {
		return true
	}
	if n.depth > 0 {
		_, block := n.child(0)
		return s.inRange(block, 1)
	}
	_, physical, length := n.extent(0)
	return length > 0 && s.inRange(physical, length)
}

// looksLikeIndirect: pointers without a gap, most of them to the next block,
// and zeros behind them. Where files have extents nothing is taken for one on
// its looks.
func (s *Super) looksLikeIndirect(b []byte) bool {
	if s.Incompat&incompatExtents != 0 {
		return false
	}
	count, steps := 0, 0
	for before := uint64(0); 4*count < len(b); count++ {
		p := uint64(le.Uint32(b[4*count:]))
		if p == 0 {
			break
		}
		if !s.inRange(p, 1) || p == before {
			return false
		}
		if p == before+1 {
			steps++
		}
		before = p
	}
	for _, c := range b[4*count:] {
		if c != 0 {
			return false
		}
	}
	return count >= 4 && steps >= count*3/4
}
