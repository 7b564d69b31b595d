package ext4

import "iter"

// descCopies bounds how many copies of a damaged descriptor block are tried.
const descCopies = 4

// descReader reads group descriptors, one block of them at a time, and turns
// to the backups of a block when a descriptor in it is not sound.
type descReader struct {
	fs     *FS
	k      uint64
	copies [descCopies][]byte // of block k, empty when unreadable
	tried  int
}

// get returns descriptor n and the number of the copy it came from, or false
// when none makes sense.
func (r *descReader) get(n uint64) (g group, copied int, ok bool) {
	s := &r.fs.Super
	per := s.descsPerBlock()
	if k := n / per; k != r.k || r.tried == 0 {
		r.k, r.tried = k, 0
	}
	at := int(n%per) * s.DescSize
	for i := range descCopies {
		if b := r.copy(i); b != nil && s.soundGroup(n, b[at:at+s.DescSize]) {
			return s.parseGroup(b[at:]), i, true
		}
	}
	return r.makeshift(at)
}

// makeshift takes the primary descriptor when only its checksum, and that of
// every backup, is wrong.
func (r *descReader) makeshift(at int) (g group, copied int, ok bool) {
	s := &r.fs.Super
	for i := range descCopies {
		b := r.copy(i)
		if b == nil {
			continue
		}
		if g := s.parseGroup(b[at:]); s.inRange(g.inodeTable, s.tableBlocks()) {
			return g, i, true
		}
	}
	return group{}, 0, false
}

func (r *descReader) copy(i int) []byte {
	for ; r.tried <= i; r.tried++ {
		r.copies[r.tried] = r.read(r.copies[r.tried], r.tried)
	}
	if len(r.copies[i]) == 0 {
		return nil
	}
	return r.copies[i]
}

func (r *descReader) read(buf []byte, i int) []byte {
	s := &r.fs.Super
	block, ok := s.descBlock(r.k, i)
	if !ok || !s.inRange(block, 1) {
		return buf[:0]
	}
	if cap(buf) < s.BlockSize {
		buf = make([]byte, s.BlockSize)
	}
	buf = buf[:s.BlockSize]
	if r.fs.readBlock(block, buf) != nil {
		return buf[:0]
	}
	return buf
}

// groups iterates over the groups whose descriptors make sense.
func (fs *FS) groups() iter.Seq2[uint64, group] {
	return func(yield func(uint64, group) bool) {
		s := &fs.Super
		if s.IsJournalDevice {
			return
		}
		r := descReader{fs: fs}
		// A group has at least its descriptor in the source.
		count := min(s.groups, maxGroups, uint64(fs.Source.Size())/uint64(s.DescSize))
		for n := uint64(0); n < count; n++ {
			g, _, ok := r.get(n)
			if ok && !yield(n, g) {
				return
			}
		}
	}
}
