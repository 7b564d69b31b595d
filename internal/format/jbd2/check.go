package jbd2

import (
	"fmt"
	"math/bits"

	"github.com/vexfs/vexctl/internal/format"
)

// checkTags looks for tags that no kernel writes.
func (s *scanner) checkTags(b []byte) {
	for _, t := range s.run.tags {
		switch {
		case s.j.outOfRange(s.l, t.block):
			s.tagFault(CodeBlockRange, t, fmt.Sprintf("a tag sends its block to %d, the filesystem ends at %d", t.block, s.j.fsBlocks(s.l)))
		case s.j.inJournal(t.block):
			s.tagFault(CodeBlockInJournal, t, fmt.Sprintf("a tag sends its block to %d, which belongs to the journal", t.block))
		case t.flags&^(flagEscape|flagSameUUID|flagLastTag) != 0:
			s.tagFault(CodePadding, t, fmt.Sprintf("a tag has flags %#x; nobody writes these", t.flags))
		}
	}
	if n := len(s.run.tags); n > 0 && !s.g.sealed() {
		last := s.run.tags[n-1]
		end := int(last.at) + s.g.tagBytes
		if last.flags&flagSameUUID == 0 {
			end += uuidSize
		}
		if end < len(b) && last.flags&flagLastTag != 0 {
			s.checkPadding(b, end)
		}
	}
}

func (s *scanner) tagFault(code string, t tag, message string) {
	f := s.rec.Fault(code, message)
	f.Offset += int64(t.at)
	f.JournalOffset += int64(t.at)
	f.Length = int64(s.g.tagBytes)
	f.Fields.Uint("block", 0, 0, t.block)
}

// checkPadding reports the first nonzero byte of b from byte from on.
func (s *scanner) checkPadding(b []byte, from int) {
	if format.IsZero(b[from:]) {
		return
	}
	for b[from] == 0 {
		from++
	}
	f := s.rec.Fault(CodePadding, fmt.Sprintf("byte %d of the block is %#02x; it is always zero", from, b[from]))
	f.Offset += int64(from)
	f.JournalOffset += int64(from)
	f.Length = 1
}

// checkTail checks the checksum at the end of a descriptor or revoke block,
// where there is one.
func (s *scanner) checkTail(b []byte, code, message string) (sound bool) {
	if !s.g.sealed() {
		return true
	}
	stored, computed := s.g.tailSum(b)
	if stored == computed {
		s.rec.Sum = format.SumOK
		return true
	}
	s.rec.Sum = format.SumBad
	if s.zoneCounts() {
		noteSums(s.rec.Fault(code, message), b, len(b)-tailSize, stored, computed)
	}
	return false
}

func (s *scanner) checkData(b []byte, t tag) {
	found, computed := s.g.dataSum(s.seed, t, b)
	if found == computed {
		s.rec.Sum = format.SumOK
		return
	}
	s.rec.Sum = format.SumBad
	if !s.zoneCounts() {
		return
	}
	code, message := CodeDataSum, fmt.Sprintf("the checksum of logged block %d is wrong", t.block)
	if s.j.isRevoked(s.l, t.block, s.run.tid) {
		code, message = CodeRevokedDataSum, message+", but the block is revoked"
	}
	f := s.rec.Fault(code, message)
	f.Fields.Uint("block", 0, 0, t.block)
	if s.g.csum == csumV2 {
		f.Sums(uint64(found), uint64(computed), 2)
		return
	}
	f.Sums(uint64(found), uint64(computed), 4)
	s.flippedData(f, b, t, found^computed)
	s.j.explain(s.l, &f.Fields, t, nil)
}

// flippedData names the flipped bit, in the block or in the sum that its tag
// keeps.
func (s *scanner) flippedData(f *format.Fault, b []byte, t tag, diff uint32) {
	if bits.OnesCount32(diff) == 1 {
		bit := bits.TrailingZeros32(diff)
		const sumAt = 12 // in a tag with a checksum of four bytes
		f.SetFlip(s.j.place(s.run.desc)+int64(t.at)+sumAt+int64(3-bit/8), bit%8, "of the sum in its tag")
		return
	}
	if at, bit := format.FlippedBit(castagnoli, len(b), diff); at >= 0 {
		f.SetFlip(f.Offset+int64(at), bit, "")
	}
}

// checkMagic: the kernel never stores a block that begins with the magic, so
// one that does is the log's own, and its descriptor counts too many.
func (s *scanner) checkMagic(b []byte) {
	if h, ok := parseHeader(b); ok && isLogType(h.typ) && h.tid-s.run.tid <= s.g.ring() {
		s.rec.Fault(CodeDataIsHeader, fmt.Sprintf("a block of the log's own, of transaction %d, is counted as data of transaction %d", h.tid, s.run.tid))
	}
}

// checkPlausible: without a checksum, at least the contents must make sense.
func (s *scanner) checkPlausible(b []byte, t tag) {
	if s.g.csum != csumNone || s.j.fs == nil {
		return
	}
	if why := s.j.implausible(s.l, t, b); why != "" {
		f := s.rec.Fault(CodeImplausible, why)
		f.Fields.Uint("block", 0, 0, t.block)
	}
}
