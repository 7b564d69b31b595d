package semj

import (
	"fmt"

	"github.com/vexfs/vexctl/internal/event"
	"github.com/vexfs/vexctl/internal/format"
)

// chain checks what holds from one intact event to the next.
type chain struct {
	any bool
	id  uint64
	seq uint64
}

// follow checks the event of rec against the last intact one, which it then
// becomes.
func (c *chain) follow(rec *format.Record, id, seq uint64) {
	if c.any && id <= c.id {
		f := rec.Fault(CodeEventIDOrder, fmt.Sprintf("event %d comes after event %d", id, c.id))
		f.Fields.Uint("event_id", evID, 8, id)
		f.Fields.Uint("previous", 0, 0, c.id)
	}
	if want := c.seq + 1; c.any && seq != want {
		f := rec.Fault(CodeEventSequenceGap, fmt.Sprintf("global sequence %d where %d was expected", seq, want))
		f.Fields.Uint("expected", 0, 0, want)
		f.Fields.Uint("actual", evGlobalSeq, 8, seq)
	}
	c.any, c.id, c.seq = true, id, seq
}

// depth is how much of a record a scan fills in.
type depth uint8

const (
	full  depth = iota
	brief       // no fields
	bare        // no fields and no event: enough to count and to check
)

// shape notes faults of the event's form, which do not depend on others.
func shape(rec *format.Record, b []byte) {
	if n := sizesOf(b).context; n != 0 && n != ContextSize {
		f := rec.Fault(CodeEventContextSize, fmt.Sprintf("a context of %d bytes; %d or none is defined", n, ContextSize))
		f.Fields.Uint("event_id", evID, 8, le.Uint64(b[evID:]))
		f.Fields.Uint("context_size", evContext, 4, uint64(n))
	}
	if t := event.Type(le.Uint32(b[evType:])); rec.Sum == format.SumOK && !t.Known() {
		f := rec.Fault(CodeEventType, fmt.Sprintf("unknown event type %s", t))
		f.Fields.Uint("event_id", evID, 8, le.Uint64(b[evID:]))
		f.Fields.Uint("event_type", evType, 4, uint64(t))
	}
}

// found is an event as a scan came upon it.
type found struct {
	// b is the whole event, raw what lies on disk: b, or what b came out of
	// when packed.
	b, raw []byte
	packed bool
	sum    uint32 // as computed
}

// fillEvent makes rec, whose place is set, the record of the event x.
func fillEvent(rec *format.Record, x found, d depth, c *chain) {
	b := x.b
	rec.Kind, rec.Zone, rec.Raw, rec.Sum = format.Event, format.Live, x.raw, format.SumOK
	seq := le.Uint64(b[evGlobalSeq:])
	rec.SetSeq(seq)
	if sizesOf(b).context >= 8 {
		if tid := le.Uint64(b[EventSize+ctxTransaction:]); tid != 0 {
			rec.SetTid(tid)
		}
	}
	if le.Uint32(b[evSum:]) == x.sum {
		c.follow(rec, le.Uint64(b[evID:]), seq)
	} else {
		rec.Sum = format.SumBad
		eventChecksum(rec, x)
	}
	shape(rec, b)
	if d == full {
		eventFields(&rec.Fields, b, !x.packed)
	}
	if d != bare {
		var e Event
		e.decode(b)
		rec.Event = e.Semantic()
	}
}

// eventChecksum notes a wrong sum, and the flipped bit that explains it if the
// event's bytes are those on disk.
func eventChecksum(rec *format.Record, x found) {
	stored := le.Uint32(x.b[evSum:])
	f := rec.Fault(CodeEventChecksum, "the event's checksum is wrong").Sums(uint64(stored), uint64(x.sum), 4)
	if !x.packed {
		f.Flip(crcTable, x.b, evSum, le, x.sum, stored)
	}
	f.Fields.Uint("event_id", evID, 8, le.Uint64(x.b[evID:]))
}
