package jbd2

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/vexfs/vexctl/internal/format"
)

// dataWindow is how much a scan reads at once: large enough for a disk, small
// enough to stay in a core's cache until the checksums are computed.
const dataWindow = 1 << 18

// Scan implements [format.Journal].
func (j *Journal) Scan(ctx context.Context, opt format.Scan) iter.Seq2[*format.Record, error] {
	return func(yield func(*format.Record, error) bool) {
		l, err := j.look(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		j.scan(ctx, l, opt, j.pieces(l, opt.Order), yield)
	}
}

func (j *Journal) scan(ctx context.Context, l *live, opt format.Scan, pieces []piece, yield func(*format.Record, error) bool) {
	s := newScanner(ctx, j, l, opt, yield)
	for _, p := range pieces {
		if opt.LiveOnly && (p.kind == pieceOutside || p.kind == pieceRest && !l.badSectors) {
			continue
		}
		s.faultsOnly = opt.LiveOnly && p.kind == pieceRest
		if !s.piece(p) {
			break
		}
	}
	if s.err != nil {
		yield(nil, s.err)
	}
}

// scanner yields the records of pieces, one after the other.
type scanner struct {
	ctx   context.Context
	j     *Journal
	g     *geometry
	l     *live
	opt   format.Scan
	yield func(*format.Record, error) bool
	w     *format.Window
	rec   format.Record
	err   error
	n     int
	run   run
	seed  uint32 // of the data checksums of run
	zone  format.Zone
	// faultsOnly: records without a fault are not wanted.
	faultsOnly bool
}

func newScanner(ctx context.Context, j *Journal, l *live, opt format.Scan, yield func(*format.Record, error) bool) *scanner {
	size := dataWindow
	if opt.SkipData {
		size = max(4*j.geo.blockSize, 1<<14)
	}
	return &scanner{ctx: ctx, j: j, g: &j.geo, l: l, opt: opt, yield: yield, w: j.window(size)}
}

// window is a window of the given size, or what a smaller journal needs.
func (j *Journal) window(size int) *format.Window {
	return format.NewWindow(j.src, max(int(min(int64(size), j.src.Size())), j.geo.blockSize))
}

func (s *scanner) piece(p piece) bool {
	switch p.kind {
	case pieceSuper:
		return s.super(p.from, p.to)
	case pieceRing:
		return s.ring(uint32(p.from), uint32(p.to))
	case pieceRest:
		return s.rest(uint32(p.from), uint32(p.to))
	case pieceFast:
		return s.fast(p.from, p.to)
	}
	return s.outside(p.from, p.to)
}

// begin makes the record for length bytes at off of the journal.
func (s *scanner) begin(kind format.Kind, off, length int64) *format.Record {
	r := &s.rec
	r.Reset()
	r.Kind, r.JournalOffset, r.Length = kind, off, length
	r.Offset = format.Place(s.j.src, off)
	return r
}

func (s *scanner) emit() bool {
	if s.n++; s.n&0x3ff == 0 {
		if s.err = s.ctx.Err(); s.err != nil {
			return false
		}
	}
	if s.faultsOnly && len(s.rec.Faults) == 0 {
		return true
	}
	return s.yield(&s.rec, nil)
}

// block reads the block at off. A block that can't be read is a fault on the
// record being made.
func (s *scanner) block(off int64) []byte {
	b, err := s.w.At(off, s.g.blockSize)
	if err == nil {
		s.rec.Raw = b
		return b
	}
	if errors.Is(err, format.ErrTruncated) {
		if s.zoneCounts() {
			s.rec.Fault(CodeTruncated, "the file ends within or before this block")
		}
		return nil
	}
	s.rec.Fault(CodeUnreadable, "this block can't be read: "+format.Cause(err))
	return nil
}

// zoneCounts says whether damage in the current zone matters to anybody.
func (s *scanner) zoneCounts() bool {
	return s.zone == format.Live || s.zone == format.Torn && s.l.tornIsDamage
}

func (s *scanner) super(from, to int64) bool {
	r := s.begin(format.Superblock, from, to-from)
	b, err := s.w.At(from, int(min(to-from, int64(s.g.blockSize))))
	if err == nil {
		r.Raw = b
	}
	if len(s.j.raw) == superSize {
		if !s.opt.Brief {
			superFields(&r.Fields, s.j.raw)
		}
		if s.j.super.hasCsum() {
			r.Sum = format.SumOK
			if s.j.super.stored != s.j.super.computed || !s.j.super.magicOK {
				r.Sum = format.SumBad
			}
		}
	}
	for _, f := range s.j.found {
		if f.JournalOffset >= from && f.JournalOffset < to && f.Offset == format.Place(s.j.src, f.JournalOffset) {
			r.Faults = append(r.Faults, f)
		}
	}
	return s.emit()
}

// ring yields the blocks at distances [from, to) of the part that the walk
// went through. from may lie among the blocks of a descriptor before it.
func (s *scanner) ring(from, to uint32) bool {
	s.run = run{tags: s.run.tags[:0]}
	d := from
	if d > 0 {
		s.rewind(d)
	}
	for ; d < to; d++ {
		s.zone = format.Live
		if d >= s.l.endDist {
			s.zone = format.Torn
		}
		if !s.one(d) {
			return false
		}
	}
	return true
}

// rewind finds the header block that governs distance d and enters its run.
func (s *scanner) rewind(d uint32) {
	at := s.l.headers.before(d)
	if s.l.wrapHeader <= d && s.l.wrapHeader > at {
		at = s.l.wrapHeader
	}
	for at < d {
		b, err := s.w.At(s.g.off(s.g.block(at)), s.g.blockSize)
		if err != nil {
			return
		}
		h, ok := parseHeader(b)
		if !ok {
			return
		}
		n := uint32(0)
		if h.typ == typeDescriptor {
			s.enter(h, s.g.block(at), b)
			n = uint32(len(s.run.tags))
		}
		if at+1+n > d {
			s.run.next = int(d - at - 1)
			return
		}
		s.run = run{tags: s.run.tags[:0]}
		at += 1 + n
	}
}

// enter begins the run of a descriptor's blocks.
func (s *scanner) enter(h header, block uint32, b []byte) (complete bool) {
	s.run.tags, complete = s.g.tags(s.run.tags[:0], b)
	s.run.next, s.run.tid, s.run.desc = 0, h.tid, block
	if s.g.sealed() {
		s.seed = s.g.tidSeed(h.tid)
	}
	return complete
}

// one yields the block at distance d of the live log.
func (s *scanner) one(d uint32) bool {
	block := s.g.block(d)
	off := s.g.off(block)
	if s.run.pending() {
		t := s.run.tags[s.run.next]
		s.run.next++
		return s.data(off, t)
	}
	s.begin(format.Gap, off, int64(s.g.blockSize))
	s.rec.Zone = s.zone
	b := s.block(off)
	h, ok := parseHeader(b)
	if b == nil || !ok {
		return s.emit() // it was a header when the walk passed
	}
	return s.header(d, block, h, b)
}

// header yields a descriptor, revoke or commit block.
func (s *scanner) header(d, block uint32, h header, b []byte) bool {
	r := &s.rec
	r.Zone = s.zone
	r.SetSeq(uint64(h.tid))
	r.SetTid(uint64(h.tid))
	switch h.typ {
	case typeDescriptor:
		s.descriptor(h, block, d, b)
	case typeRevoke:
		s.revoke(b)
	case typeCommit:
		s.commit(d, b)
	}
	return s.emit()
}

func (s *scanner) descriptor(h header, block, d uint32, b []byte) {
	r := &s.rec
	r.Kind = format.Descriptor
	complete := s.enter(h, block, b)
	sound := s.checkTail(b, CodeDescriptorSum, "the descriptor block's checksum is wrong")
	if !s.opt.Brief {
		r.Fields.Uint("tag_count", 0, 0, uint64(len(s.run.tags)))
		if s.g.sealed() {
			r.Fields.Hex("checksum", len(b)-tailSize, 4, uint64(be.Uint32(b[len(b)-tailSize:])))
		}
	}
	if !s.zoneCounts() || !sound {
		return // what a damaged block claims is no news
	}
	if !complete {
		r.Fault(CodeNoLastTag, "no tag of this descriptor is marked as the last")
	}
	if uint64(d)+1+uint64(len(s.run.tags)) > uint64(s.g.ring()) {
		r.Fault(CodeOverrun, fmt.Sprintf("the descriptor claims %d blocks, more than the log has left", len(s.run.tags)))
	}
	s.checkTags(b)
}

func (s *scanner) revoke(b []byte) {
	r := &s.rec
	r.Kind = format.Revoke
	sound := s.checkTail(b, CodeRevokeSum, "the revoke block's checksum is wrong")
	list, ok := s.g.revokes(b)
	if !s.opt.Brief {
		r.Fields.Uint("r_count", 12, 4, uint64(be.Uint32(b[12:])))
		r.Fields.Uint("count", 0, 0, uint64(len(list)))
		r.Fields.Uints("blocks", revokeHead, int(min(be.Uint32(b[12:]), uint32(len(b))))-revokeHead, list)
		if s.g.sealed() {
			r.Fields.Hex("checksum", len(b)-tailSize, 4, uint64(be.Uint32(b[len(b)-tailSize:])))
		}
	}
	if !s.zoneCounts() || !sound {
		return
	}
	if !ok {
		f := r.Fault(CodeRevokeCount, fmt.Sprintf("the revoke block claims %d bytes, a block has %d", be.Uint32(b[12:]), len(b)-s.g.tail()))
		f.Offset, f.JournalOffset, f.Length = f.Offset+12, f.JournalOffset+12, 4
	}
	for i, block := range list {
		if s.j.outOfRange(s.l, block) {
			size := 4
			if s.g.bits64 {
				size = 8
			}
			f := r.Fault(CodeRevokeRange, fmt.Sprintf("block %d is revoked, the filesystem ends at %d", block, s.j.fsBlocks(s.l)))
			at := int64(revokeHead + i*size)
			f.Offset, f.JournalOffset, f.Length = f.Offset+at, f.JournalOffset+at, int64(size)
			break
		}
	}
	if end := int(be.Uint32(b[12:])); ok && !s.g.sealed() && end >= revokeHead && end < len(b) {
		s.checkPadding(b, end)
	}
}

func (s *scanner) commit(d uint32, b []byte) {
	r := &s.rec
	r.Kind = format.Commit
	if ns, ok := commitTime(b); ok {
		r.SetTime(ns)
	}
	if !s.opt.Brief {
		commitFields(&r.Fields, b)
	}
	switch {
	case s.g.sealed():
		s.sealedCommit(d, b)
	case s.g.csum == csumCompat:
		r.Sum = format.SumUnverifiable
		if s.zone == format.Live {
			r.Sum = format.SumOK
			if b[12] == 0 {
				r.Sum = format.SumNone
			}
		}
	}
	if !s.g.sealed() && s.zoneCounts() {
		// h_chksum[1..7], which nobody uses, and all that follows the time.
		if !format.IsZero(b[20:48]) {
			s.checkPadding(b[:48], 20)
		} else {
			s.checkPadding(b, commitUsed)
		}
	}
	s.attachBadCommit(d)
}

// sealedCommit checks a commit block with CRC-32C.
func (s *scanner) sealedCommit(d uint32, b []byte) {
	ok, partial := s.g.commitHolds(b)
	s.rec.Sum = format.SumOK
	switch {
	case !ok:
		s.rec.Sum = format.SumBad
	case partial:
		s.rec.Sum = format.SumBad
		if s.zoneCounts() {
			stored, computed := s.g.commitSum(b)
			f := s.rec.Fault(CodeTornCommit, "the checksum is right only if what follows the commit time is taken as zero; the kernel accepts that, e2fsck does not")
			noteSums(f, b, commitSumAt, stored, computed)
		}
	}
}

// attachBadCommit adds the fault that the walk found at this commit.
func (s *scanner) attachBadCommit(d uint32) {
	if s.l.badCommit == nil || d != s.l.badCommitDist || s.zone != format.Torn {
		return
	}
	s.rec.Sum = format.SumBad
	if s.l.tornIsDamage {
		f := *s.l.badCommit
		f.Seq, f.HasSeq, f.Tid, f.HasTid = s.rec.Seq, true, s.rec.Tid, true
		s.rec.Faults = append(s.rec.Faults, f)
	}
}

func commitFields(f *format.Fields, b []byte) {
	l := format.Layout{B: b, Order: be, Fields: f}
	l.U8("h_chksum_type", 12)
	l.U8("h_chksum_size", 13)
	l.X32("h_chksum", commitSumAt)
	l.U64("h_commit_sec", 48)
	l.U32("h_commit_nsec", 56)
	if ns, ok := commitTime(b); ok {
		f.Time("commit_time", 48, 12, ns)
	}
}

// data yields a logged block.
func (s *scanner) data(off int64, t tag) bool {
	r := s.begin(format.Data, off, int64(s.g.blockSize))
	r.Zone = s.zone
	r.SetSeq(uint64(s.run.tid))
	r.SetTid(uint64(s.run.tid))
	r.Block, r.HasBlock = t.block, true
	if s.g.sealed() {
		r.Sum = format.SumUnverifiable
	}
	var b []byte
	if !s.opt.SkipData {
		if b = s.block(off); b != nil && s.g.sealed() {
			s.checkData(b, t)
		}
		if b != nil && s.zoneCounts() {
			s.checkMagic(b)
			s.checkPlausible(b, t)
		}
	}
	if !s.opt.Brief {
		s.dataFields(t)
		if s.opt.Explain {
			s.j.explain(s.l, &r.Fields, t, b)
		}
	}
	return s.emit()
}

func (s *scanner) dataFields(t tag) {
	f := &s.rec.Fields
	f.Uint("blocknr", 0, 0, t.block)
	f.Uint("flags", 0, 0, uint64(t.flags))
	if t.flags&flagEscape != 0 {
		f.Bool("escaped", 0, 0, true)
	}
	switch s.g.csum {
	case csumV3:
		f.Hex("checksum", 0, 4, uint64(t.sum))
	case csumV2:
		f.Hex("checksum", 0, 2, uint64(t.sum))
	}
	f.Uint("descriptor_block", 0, 0, uint64(s.run.desc))
}
