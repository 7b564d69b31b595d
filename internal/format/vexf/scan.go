package vexf

import (
	"context"
	"iter"

	"github.com/vexfs/vexctl/internal/format"
)

// Scan yields one record for each block, and one for each run of zero or
// foreign blocks outside the live window. Every block must be read to tell
// where the log ends, so SkipData spares the second look at logged contents
// and their SHA-256 only; their CRC is known all the same.
func (j *Journal) Scan(ctx context.Context, s format.Scan) iter.Seq2[*format.Record, error] {
	return func(yield func(*format.Record, error) bool) {
		a, err := j.analyse(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		l := a.tile()
		e := &emitter{a: a, l: l, scan: s, w: window(j.src, MaxBlockSize)}
		for _, i := range l.order(s.Order) {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			p := &l.pieces[i]
			if s.LiveOnly && !a.matters(p) {
				continue
			}
			if !yield(e.record(p), nil) {
				return
			}
		}
	}
}

// matters reports whether a piece is the superblock, of the live window, or
// damage wherever it lies.
func (a *analysis) matters(p *piece) bool {
	if p.kind != ringPart {
		return p.kind == superPart
	}
	return p.hi > p.lo || a.spans[p.span].state == unreadable
}

// emitter makes records out of pieces. It reuses one record.
type emitter struct {
	a    *analysis
	l    *layout
	scan format.Scan
	w    *format.Window
	rec  format.Record
}

func (e *emitter) record(p *piece) *format.Record {
	r := &e.rec
	r.Reset()
	r.Offset, r.JournalOffset, r.Length = format.Place(e.a.j.src, p.off), p.off, p.n
	switch p.kind {
	case outside:
		e.gap("outside the journal")
	case superPart:
		e.superblock()
	case ringPart:
		e.ring(p)
	}
	return r
}

func (e *emitter) gap(holds string) {
	e.rec.Kind = format.Gap
	if !e.scan.Brief {
		e.rec.Fields.Str("holds", 0, 0, holds)
	}
}

// read returns the record's bytes, or as many of them as can be had.
func (e *emitter) read() []byte {
	b, _ := e.w.At(e.rec.JournalOffset, int(e.rec.Length))
	e.rec.Raw = b
	return b
}

func (e *emitter) superblock() {
	r := &e.rec
	r.Kind, r.Sum = format.Superblock, format.SumUnverifiable
	b := e.read()
	if len(b) < sbSize {
		return
	}
	sb := readSuperblock(b, &r.Fields)
	if r.Sum = sb.sum(); e.scan.Brief {
		r.Fields = r.Fields[:0]
	}
}

// ring makes the record of a block, or of a run of them.
func (e *emitter) ring(p *piece) {
	s := &e.a.spans[p.span]
	if p.lo == p.hi {
		e.leftover(s)
		return
	}
	it := &e.a.items[e.l.byPos[p.lo]]
	e.rec.Zone = e.a.zone(it)
	if it.present() {
		e.live(it, s)
	} else {
		e.lost(it, s)
	}
	for _, i := range e.l.byPos[p.lo:p.hi] {
		e.itemFaults(i)
	}
}

// leftover is a block that the live window has no use for.
func (e *emitter) leftover(s *span) {
	r := &e.rec
	switch s.state {
	case good, badSum:
		r.Zone, r.Sum = format.Stale, sumOf(s)
		if s.state == good {
			r.SetSeq(s.seq)
		}
		e.gap("stale " + s.typ.kind().String())
		e.header(s)
	case unreadable:
		e.gap("unreadable")
		r.Fault(CodeUnreadable, "the block can't be read")
	default:
		e.gap(holds(s.state))
	}
}

func holds(st state) string {
	return [...]string{good: "a log block", badSum: "a damaged log block", notJournal: "unknown", zeroed: "zeros",
		partial: "part of a block", unreadable: "unreadable"}[st]
}

func sumOf(s *span) format.Sum {
	switch s.state {
	case good:
		return format.SumOK
	case badSum:
		return format.SumBad
	}
	return format.SumNone
}

// header adds what a block's header says, where the body is not to be trusted.
func (e *emitter) header(s *span) {
	if e.scan.Brief {
		return
	}
	e.rec.Fields.Uint("type", hdrType, 4, uint64(s.typ))
	e.rec.Fields.Uint("sequence", hdrSequence, 8, s.seq)
}

// live is a sound block of the window.
func (e *emitter) live(it *item, s *span) {
	r := &e.rec
	r.Kind, r.Sum = s.typ.kind(), format.SumOK
	r.SetSeq(it.seq)
	if it.txn >= 0 {
		r.SetTid(e.a.txns[it.txn].tid)
	}
	if s.timed() {
		if ns, ok := format.UnixNano(s.time, 0); ok {
			r.SetTime(ns)
		}
	}
	if s.typ == TypeData {
		r.Block, r.HasBlock = s.key, true
		if e.scan.SkipData {
			return
		}
	}
	if e.scan.Brief {
		return
	}
	e.body(it, s)
}

// body decodes a sound block and adds what the log as a whole says of it.
func (e *emitter) body(it *item, s *span) {
	f := &e.rec.Fields
	f.Uint("block", 0, 0, e.a.area.block(it.pos))
	b := e.read()
	if int64(len(b)) < e.a.area.size {
		return
	}
	readBlock(b, f)
	switch s.typ {
	case TypeData:
		f.Str("sha256_state", 0, 0, dataSHAState(b))
	case TypeCheckpoint, TypeBarrier:
		f.Str("sha256_state", 0, 0, shaState(s.sha))
	}
	if it.txn < 0 || s.typ == TypeData {
		return
	}
	t := &e.a.txns[it.txn]
	f.Str("state", 0, 0, string(t.state))
	if s.typ == TypeDescriptor {
		f.Bool("data_suspect", 0, 0, t.suspect)
	}
}

func shaState(ok bool) string {
	if ok {
		return StateOK
	}
	return StateMismatch
}

// lost is what lies where a live block should.
func (e *emitter) lost(it *item, s *span) {
	r := &e.rec
	r.Sum = sumOf(s)
	r.SetSeq(it.seq)
	if !e.scan.Brief {
		r.Fields.Uint("block", 0, 0, e.a.area.block(it.pos))
	}
	if s.state == badSum && s.typ.known() {
		r.Kind = s.typ.kind()
		e.damaged()
		return
	}
	e.gap(holds(s.state))
	if s.state == good || s.state == badSum {
		e.header(s)
	}
}

// damaged shows what a block with a wrong sum says all the same.
func (e *emitter) damaged() {
	if e.scan.Brief {
		return
	}
	if b := e.read(); int64(len(b)) == e.a.area.size {
		readBlock(b, &e.rec.Fields)
	}
}

// zone places an item: what the log ends in the middle of is torn.
func (a *analysis) zone(it *item) format.Zone {
	switch {
	case it.tail:
		return format.Torn
	case it.txn >= 0 && a.txns[it.txn].code == CodeTxnTornTail:
		return format.Torn
	case it.txn < 0 && it.present() && a.spans[it.span].typ == TypeData:
		return format.Torn
	}
	return format.Live
}
