// Package event is the model of a semantic event: what happened, to which
// object, by whom, when and why. Every event journal decodes into it, whatever
// its bytes are, and everything that filters, shows or replays events works on
// it alone.
//
// There are 72 types in eight families, see [Types]. A code outside them is
// kept and shown as hex.
package event

import (
	"maps"
	"slices"
)

// Flags are an event's properties, one bit each.
type Flags uint32

const (
	Atomic        Flags = 0x01
	Transactional Flags = 0x02
	Causal        Flags = 0x04
	AgentVisible  Flags = 0x08
	Deterministic Flags = 0x10
	Compressed    Flags = 0x20
	Indexed       Flags = 0x40
	Replicated    Flags = 0x80
)

var flagNames = []string{"atomic", "transactional", "causal", "agent-visible", "deterministic", "compressed", "indexed", "replicated"}

// Names lists the names of the bits that are set; unnamed bits are left out.
func (f Flags) Names() []string {
	var out []string
	for i, n := range flagNames {
		if f&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// Priority is an urgency: lower is more urgent.
type Priority uint32

const (
	Critical   Priority = 1
	High       Priority = 2
	Normal     Priority = 3
	Low        Priority = 4
	Background Priority = 5
)

// Link is a causality link between two events.
type Link struct {
	Cause, Effect uint64
	Type          uint32
	// Strength is 0 to 100.
	Strength uint32
	// Delay is in nanoseconds.
	Delay       int64
	Description string
}

// Event is one semantic event. A zero field is one that the journal does not
// record, unless its comment says otherwise.
type Event struct {
	// ID is unique in its journal, and increases.
	ID      uint64
	Type    Type
	Subtype uint32

	// Time is wall-clock time in nanoseconds since 1970; HasTime says whether
	// the journal knows it.
	Time    int64
	HasTime bool
	// KTime is the kernel's monotonic time in nanoseconds since boot, when
	// HasKTime.
	KTime    int64
	HasKTime bool
	// TimeSeq orders events of the same moment.
	TimeSeq        uint64
	GlobalSeq      uint64
	LocalSeq       uint64
	CPU            uint32
	Flags          Flags
	Priority       Priority
	ReplayPriority uint32

	// Actor.
	UID, GID uint32
	HasOwner bool // whether UID and GID count
	PID      uint32
	Process  string
	AgentID  string
	Session  uint64

	// Object. Paths and names are any bytes but NUL.
	Object   uint64
	Parent   uint64
	Name     string
	Path     string
	Inode    uint64
	FileType uint32 // mode & 0170000

	// Outcome: 0 is success.
	Errno uint32

	// Why.
	Transaction      uint64
	ParentEvent      uint64
	RootCause        uint64
	CausalityChain   uint64
	Links            []Link
	AgentIntent      string
	AgentConfidence  uint32 // 0 to 100
	Intent           string
	IntentConfidence uint32 // 0 to 100
	Tags             string

	// Importance.
	Relevance  uint32 // 0 to 100
	Visibility uint64 // mask of agents that may see the event

	// Graph, vector and system context.
	GraphNode, GraphEdge uint64
	GraphOperation       uint32
	VectorID             uint64
	VectorDimensions     uint32
	VectorElementType    uint32
	SystemLoad           uint32
	MemoryUsage          uint64
	IOPressure           uint32

	// Payload and Metadata are what the event carries, after decompression.
	Payload  []byte
	Metadata []byte
	// Extra holds values that have no field of their own, by name.
	Extra map[string]string
}

// Clone returns a deep copy.
func (e *Event) Clone() *Event {
	c := *e
	c.Links = slices.Clone(e.Links)
	c.Payload = slices.Clone(e.Payload)
	c.Metadata = slices.Clone(e.Metadata)
	c.Extra = maps.Clone(e.Extra)
	return &c
}
