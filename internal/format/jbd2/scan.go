package jbd2

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/bits"

	"github.com/vexfs/vexctl/internal/format"
)

// dataWindow is how much a scan reads at once: large enough for a disk, small
// enough to stay in a core's cache until the checksums are computed.
const dataWindow = 1 << 18

// piece is a part of the journal that a scan yields in one go.
type piece struct {
	kind     pieceKind
	from, to int64 // ring: distances; otherwise bytes of the journal
}

type pieceKind uint8

const (
	pieceSuper pieceKind = iota
	pieceOutside
	pieceRing // within [0, stopDist)
	pieceRest // within [stopDist, ring)
	pieceFast
)

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

// pieces divides the journal into what a scan yields in one go.
func (j *Journal) pieces(l *live, order format.Order) []piece {
	if order == format.LogOrder {
		return j.logOrder(l)
	}
	return j.physical(l)
}

// physical lists the pieces in order of their bytes.
func (j *Journal) physical(l *live) []piece {
	g := &j.geo
	out := j.before()
	if r := g.ring(); r > 0 {
		start := int64(g.dist(g.first)) // 0 unless the log begins elsewhere
		out = append(out, split(l, start, int64(r))...)
		out = append(out, split(l, 0, start)...)
	}
	return append(out, j.behind()...)
}

// logOrder lists them in the order of the history.
func (j *Journal) logOrder(l *live) []piece {
	r := int64(j.geo.ring())
	var first, last []piece
	for _, p := range j.before() {
		if p.kind == pieceSuper {
			first = append(first, p)
		} else {
			last = append(last, p)
		}
	}
	if r > 0 {
		first = append(first, j.cut(split(l, 0, int64(l.stopDist)))...)
	}
	for _, p := range j.behind() {
		if p.kind == pieceFast {
			first = append(first, p)
		} else {
			last = append(last, p)
		}
	}
	if r > 0 {
		first = append(first, j.cut(split(l, int64(l.stopDist), r))...)
	}
	return append(first, last...)
}

// before lists what precedes the ring: nothing but the superblock, or on an
// external journal device the filesystem superblock as well.
func (j *Journal) before() []piece {
	g := &j.geo
	size := j.src.Size()
	super, first := min(g.off(g.superBlock), size), min(g.off(g.first), size)
	after := min(super+int64(g.blockSize), first)
	if j.src.Size() == 0 {
		return nil
	}
	var out []piece
	if super > 0 {
		out = append(out, piece{pieceOutside, 0, super})
	}
	if after > super {
		out = append(out, piece{pieceSuper, super, after})
	}
	if first > after {
		out = append(out, piece{pieceOutside, after, first})
	}
	return out
}

// behind lists what follows the ring: the fast-commit area, and bytes that the
// journal does not claim.
func (j *Journal) behind() []piece {
	g := &j.geo
	size := j.src.Size()
	at := min(max(g.off(g.last), g.off(g.first)), size)
	var out []piece
	if fc, end := min(g.off(g.fcFirst), size), min(g.off(g.fcEnd), size); end > fc {
		if fc > at {
			out = append(out, piece{pieceOutside, at, fc})
		}
		out = append(out, piece{pieceFast, fc, end})
		at = end
	}
	if size > at {
		out = append(out, piece{pieceOutside, at, size})
	}
	return out
}

// split divides the distances [from, to) at the end of the live log.
func split(l *live, from, to int64) []piece {
	var out []piece
	stop := int64(l.stopDist)
	if a, b := from, min(to, stop); a < b {
		out = append(out, piece{pieceRing, a, b})
	}
	if a, b := max(from, stop), to; a < b {
		out = append(out, piece{pieceRest, a, b})
	}
	return out
}

// cut divides ring pieces at the ring's first block, where a physical scan
// begins, so that both orders see the same records.
func (j *Journal) cut(pieces []piece) []piece {
	var out []piece
	at := int64(j.geo.dist(j.geo.first))
	for _, p := range pieces {
		if p.from < at && at < p.to {
			out = append(out, piece{p.kind, p.from, at})
			p.from = at
		}
		out = append(out, p)
	}
	return out
}

// Split implements [format.Splitter]: the live log is divided at header blocks.
func (j *Journal) Split(ctx context.Context, opt format.Scan, n int) ([]iter.Seq2[*format.Record, error], error) {
	l, err := j.look(ctx)
	if err != nil {
		return nil, err
	}
	var parts [][]piece
	budget := int64(l.stopDist)/int64(max(n, 1)) + 1
	var part []piece
	used := int64(0)
	for _, p := range j.pieces(l, opt.Order) {
		for p.kind == pieceRing && used+p.to-p.from > budget && len(parts) < n-1 {
			// What is used may be over the budget already: marks are sparse.
			at := int64(l.headers.before(uint32(p.from + max(budget-used, 0))))
			if at <= p.from || at >= p.to {
				break
			}
			parts = append(parts, append(part, piece{pieceRing, p.from, at}))
			part, used, p.from = nil, 0, at
		}
		part = append(part, p)
		if p.kind == pieceRing {
			used += p.to - p.from
		}
	}
	parts = append(parts, part)
	out := make([]iter.Seq2[*format.Record, error], len(parts))
	for i, pieces := range parts {
		out[i] = func(yield func(*format.Record, error) bool) { j.scan(ctx, l, opt, pieces, yield) }
	}
	return out, nil
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
	desc  uint32 // journal block of run's descriptor
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
			if s.j.super.stored != s.j.super.claimed || !s.j.super.magicOK {
				r.Sum = format.SumBad
			}
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
		if !s.rewind(d) {
			return false
		}
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
func (s *scanner) rewind(d uint32) bool {
	at := s.l.headers.before(d)
	if s.l.wrapHeader <= d && s.l.wrapHeader > at {
		at = s.l.wrapHeader
	}
	for at < d {
		b, err := s.w.At(s.g.off(s.g.block(at)), s.g.blockSize)
		if err != nil {
			return true
		}
		h, ok := parseHeader(b)
		if !ok {
			return true
		}
		n := uint32(0)
		if h.typ == typeDescriptor {
			s.enter(h, s.g.block(at), b)
			n = uint32(len(s.run.tags))
		}
		if at+1+n > d {
			s.run.next = int(d - at - 1)
			return true
		}
		s.run = run{tags: s.run.tags[:0]}
		at += 1 + n
	}
	return true
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

// checkTags looks for tags that no kernel writes.
func (s *scanner) checkTags(b []byte) {
	for _, t := range s.run.tags {
		switch {
		case s.j.outOfRange(t.block):
			s.tagFault(CodeBlockRange, t, fmt.Sprintf("a tag sends its block to %d, the filesystem ends at %d", t.block, s.j.fs.Super.Blocks))
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
		if s.j.outOfRange(block) {
			size := 4
			if s.g.bits64 {
				size = 8
			}
			f := r.Fault(CodeRevokeRange, fmt.Sprintf("block %d is revoked, the filesystem ends at %d", block, s.j.fs.Super.Blocks))
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
