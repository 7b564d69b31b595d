package jbd2

import (
	"errors"

	"github.com/vexfs/vexctl/internal/format"
)

// rest yields the blocks at distances [from, to) that the walk did not go
// through: leftovers of earlier laps, and what lies beyond a damaged end. They
// are read leniently: any header counts, whatever its tid, and a descriptor's
// blocks last until the next header.
func (s *scanner) rest(from, to uint32) bool {
	s.run = run{tags: s.run.tags[:0]}
	g := gapRun{s: s}
	for d := from; d < to; {
		if d&0xff == 0 {
			if s.err = s.ctx.Err(); s.err != nil {
				return false
			}
		}
		block := s.g.block(d)
		off := s.g.off(block)
		if block == s.g.first {
			s.run = run{tags: s.run.tags[:0]}
		}
		b, err := s.w.At(off, s.g.blockSize)
		h, ok := parseHeader(b)
		ok = ok && err == nil && isLogType(h.typ)
		d++
		switch {
		case ok:
			if !g.flush() {
				return false
			}
			s.zone = s.zoneOf(h.tid, d-1)
			s.begin(format.Gap, off, int64(s.g.blockSize)).Raw = b
			if !s.header(d-1, block, h, b) {
				return false
			}
		case s.run.pending():
			if !g.flush() {
				return false
			}
			t := s.run.tags[s.run.next]
			s.run.next++
			s.zone = s.zoneOf(s.run.tid, d-1)
			if !s.data(off, t) {
				return false
			}
		default:
			next := off + int64(s.g.blockSize)
			if zero := err == nil && format.IsZero(b); zero {
				skip := s.j.holeBlocks(next, d, to)
				d += skip
				next += int64(skip) * int64(s.g.blockSize)
			}
			if !g.add(off, next, b, err) {
				return false
			}
		}
	}
	return g.flush()
}

// zoneOf says which part of the log's life a leftover at distance d is from.
func (s *scanner) zoneOf(tid uint32, d uint32) format.Zone {
	if s.j.newer(s.l, tid) {
		return format.Beyond
	}
	for _, c := range s.l.chains {
		// A chain's last header is followed by its blocks, at most.
		if tid-c.firstT < c.afterT-c.firstT && d >= c.from {
			return format.Checkpointed
		}
	}
	return format.Stale
}

// gapRun gathers bytes of one sort, in one piece of the file, into one record.
type gapRun struct {
	s        *scanner
	from, to int64
	limit    int64 // where the piece of the file ends
	content  string
	cause    string // why it can't be read
}

// add takes the bytes [from, to), which hold b (or could not be read).
func (g *gapRun) add(from, to int64, b []byte, err error) bool {
	content := "unknown"
	switch {
	case errors.Is(err, format.ErrTruncated):
		content = "missing"
	case err != nil:
		content, g.cause = "unreadable", format.Cause(err)
	case format.IsZero(b):
		content = "zeros"
	}
	if g.to > g.from && (content != g.content || from >= g.limit || from != g.to) {
		if !g.flush() {
			return false
		}
	}
	if g.to == g.from {
		g.from, g.content = from, content
		g.limit = format.Contiguous(g.s.j.src, from)
	}
	// A hole may reach over the end of the piece.
	for to > g.limit && g.limit > g.from {
		g.to = g.limit
		if !g.flush() {
			return false
		}
		g.from, g.content = g.limit, content
		g.limit = format.Contiguous(g.s.j.src, g.from)
	}
	g.to = to
	return true
}

// flush yields the record, if there is one.
func (g *gapRun) flush() bool {
	if g.to <= g.from {
		return true
	}
	r := g.s.begin(format.Gap, g.from, g.to-g.from)
	r.Fields.Str("content", 0, 0, g.content)
	if g.content == "unreadable" {
		r.Fault(CodeUnreadable, "this can't be read: "+g.cause)
	}
	g.from, g.to = 0, 0
	return g.s.emit()
}

// outside yields what belongs to no part of the journal.
func (s *scanner) outside(from, to int64) bool {
	s.zone = format.NoZone
	if s.j.external && from == 0 {
		r := s.begin(format.FsSuperblock, from, to-from)
		if s.j.device != nil && !s.opt.Brief {
			r.Fields = append(r.Fields, s.j.device.Super.Fields()...)
		}
		return s.emit()
	}
	g := gapRun{s: s}
	bs := int64(s.g.blockSize)
	for off := from; off < to; {
		next := min(off+bs, to)
		b, err := s.w.At(off, int(next-off))
		if err == nil && format.IsZero(b) {
			next = min(max(next, format.NextData(s.j.src, next)), to)
		}
		if !g.add(off, next, b, err) {
			return false
		}
		if s.err = s.ctx.Err(); s.err != nil {
			return false
		}
		off = next
	}
	return g.flush()
}

// fast yields the fast-commit area, a record for each unit.
func (s *scanner) fast(from, to int64) bool {
	bs := int64(s.g.blockSize)
	g := gapRun{s: s}
	tid := uint32(0)
	for off := from; off < to; {
		at := int((off - from) % bs)
		blockEnd := min(off-int64(at)+bs, to)
		b, err := s.w.At(off-int64(at), int(blockEnd-off)+at)
		var u unit
		ok := false
		if err == nil {
			u, ok = parseUnit(b, at)
		}
		if !ok {
			if err == nil && at == 0 && format.IsZero(b) {
				blockEnd = min(max(blockEnd, from+(format.NextData(s.j.src, blockEnd)-from)/bs*bs), to)
			}
			if !g.add(off, blockEnd, b[min(at, len(b)):], err) {
				return false
			}
			off = blockEnd
			continue
		}
		if !g.flush() || !s.unit(off, off-from, b, u, &tid) {
			return false
		}
		off += int64(u.size)
		if left := blockEnd - off; left > 0 && left < fcUnitHead {
			if !g.add(off, blockEnd, b[at+u.size:], nil) {
				return false
			}
			off = blockEnd
		}
	}
	return g.flush()
}

// unit yields one unit at byte pos of the area.
func (s *scanner) unit(off, pos int64, b []byte, u unit, tid *uint32) bool {
	r := s.begin(format.FastCommit, off, int64(u.size))
	r.Raw = b[u.at : u.at+u.size]
	switch fc := &s.l.fast; {
	case pos < fc.end:
		r.Zone = format.Live
		*tid = s.l.end
	case pos < fc.tornEnd:
		r.Zone = format.Torn
		*tid = s.l.end
	default:
		r.Zone = format.Stale
		s.faultsOnly = s.opt.LiveOnly
	}
	switch u.tag {
	case fcHead:
		*tid = le.Uint32(u.value[4:])
	case fcTail:
		*tid = le.Uint32(u.value)
		r.Sum = format.SumUnverifiable
		if r.Zone == format.Live {
			r.Sum = format.SumOK
		}
	}
	if *tid != 0 {
		r.SetSeq(uint64(*tid))
		r.SetTid(uint64(*tid))
	}
	if !s.opt.Brief {
		unitFields(&r.Fields, b, u)
	}
	return s.emit()
}
