package format

import (
	"slices"

	"github.com/vexfs/vexctl/internal/event"
)

// Kind says what a record is.
type Kind uint8

const (
	Gap          Kind = iota // bytes that mean nothing: zero, unknown, or skipped by design
	Superblock               // the journal's own superblock or file header
	FsSuperblock             // the filesystem superblock of an external journal device
	Descriptor               // says which blocks follow or were touched
	Data                     // a logged block
	Commit                   // ends a transaction
	Revoke                   // cancels logged copies of blocks
	Abort                    // gives a transaction up
	Checkpoint               // a known state
	Barrier                  // an ordering mark
	FastCommit               // one fast-commit tag
	Event                    // a semantic event
	Batch                    // a unit of commit that holds events
	Index                    // an index over events
	Storage                  // the header of a block of stored events
	numKinds
)

var kindNames = [numKinds]string{
	"gap", "superblock", "fs-superblock", "descriptor", "data", "commit", "revoke", "abort",
	"checkpoint", "barrier", "fast-commit", "event", "batch", "index", "storage",
}

// String returns the kind's name in every output format.
func (k Kind) String() string {
	if k < numKinds {
		return kindNames[k]
	}
	return "gap"
}

// KindNames lists the names of every kind.
func KindNames() []string { return kindNames[:] }

// Kinds lists every kind, in order of value.
func Kinds() []Kind {
	out := make([]Kind, numKinds)
	for i := range out {
		out[i] = Kind(i)
	}
	return out
}

// ParseKind is the inverse of [Kind.String].
func ParseKind(s string) (Kind, bool) {
	i := slices.Index(kindNames[:], s)
	return Kind(max(i, 0)), i >= 0
}

// Zone says where a record stands in the life of its log.
type Zone uint8

const (
	NoZone       Zone = iota // the format has no log, or the record is outside it
	Live                     // between tail and end: what a recovery would read
	Torn                     // the unfinished transaction at the end of the live log
	Checkpointed             // before the tail: already written home
	Stale                    // left over from an earlier lap or an earlier journal
	Beyond                   // belongs after the end of the live log: unreachable
)

var zoneNames = [...]string{"", "live", "torn", "checkpointed", "stale", "beyond"}

// String returns the zone's name in every output format.
func (z Zone) String() string { return zoneNames[z] }

// Zones lists the names of all zones.
func Zones() []string { return zoneNames[1:] }

// Sum is the state of a record's checksum.
type Sum uint8

const (
	SumNone         Sum = iota // the record carries none
	SumOK                      // it was computed and agrees
	SumBad                     // it was computed and differs
	SumUnverifiable            // there is one, and it can't be checked
)

var sumNames = [...]string{"none", "ok", "bad", "unverifiable"}

// String returns the state's name in every output format.
func (s Sum) String() string { return sumNames[s] }

// Record is one unit on disk. Scans reuse one Record: it, and all it points
// to, is valid until the next step of the iteration. [Record.Clone] keeps it.
type Record struct {
	// Offset is the byte offset in the file named by the user, or -1 when the
	// record has no place there (a hole of a journal file).
	Offset int64
	// JournalOffset is the byte offset within the journal.
	JournalOffset int64
	// Length is in bytes.
	Length int64
	Kind   Kind
	Zone   Zone
	Sum    Sum
	// HasSeq, HasTid, HasTime and HasBlock say which of the fields below count.
	HasSeq, HasTid, HasTime, HasBlock bool
	// Seq is the record's place in the order of the log.
	Seq uint64
	// Tid is the transaction it belongs to.
	Tid uint64
	// Time is in nanoseconds since 1970 UTC.
	Time int64
	// Block is the home block of a logged block, in filesystem blocks.
	Block uint64
	// Fields are the decoded values.
	Fields Fields
	// Event is set for event records.
	Event *event.Event
	// Faults lists what is wrong with the record.
	Faults []Fault
	// Raw holds the record's bytes as stored, when the scan read them.
	Raw []byte
}

// End is the first byte of the journal after the record.
func (r *Record) End() int64 { return r.JournalOffset + r.Length }

// Reset makes r an empty record and keeps its slices' capacity.
func (r *Record) Reset() {
	*r = Record{Fields: r.Fields[:0], Faults: r.Faults[:0]}
}

// SetSeq sets the sequence.
func (r *Record) SetSeq(seq uint64) { r.Seq, r.HasSeq = seq, true }

// SetTid sets the transaction.
func (r *Record) SetTid(tid uint64) { r.Tid, r.HasTid = tid, true }

// SetTime sets the time, in nanoseconds since 1970.
func (r *Record) SetTime(ns int64) { r.Time, r.HasTime = ns, true }

// Fault appends a fault that spans the whole record and returns it for
// completion. The pointer is valid until the next fault is added.
func (r *Record) Fault(code string, message string) *Fault {
	f := Fault{Code: code, Message: message, Offset: r.Offset, JournalOffset: r.JournalOffset, Length: r.Length, FlipOffset: -1,
		Seq: r.Seq, HasSeq: r.HasSeq, Tid: r.Tid, HasTid: r.HasTid}
	r.Faults = append(r.Faults, f)
	return &r.Faults[len(r.Faults)-1]
}

// Clone returns a copy that stays valid.
func (r *Record) Clone() *Record {
	c := *r
	c.Fields = r.Fields.Clone()
	c.Faults = slices.Clone(r.Faults)
	for i := range c.Faults {
		c.Faults[i] = c.Faults[i].Clone()
	}
	c.Raw = slices.Clone(r.Raw)
	if r.Event != nil {
		c.Event = r.Event.Clone()
	}
	return &c
}

// Clone returns a deep copy.
func (f Fields) Clone() Fields {
	c := slices.Clone(f)
	for i := range c {
		c[i].L = slices.Clone(c[i].L)
		c[i].T = slices.Clone(c[i].T)
		c[i].Sub = c[i].Sub.Clone()
		c[i].List = slices.Clone(c[i].List)
		for j := range c[i].List {
			c[i].List[j] = c[i].List[j].Clone()
		}
	}
	return c
}
