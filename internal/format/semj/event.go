package semj

import (
	"errors"
	"fmt"
)

// Event is one event record with every byte it has on disk. The sizes in its
// header follow from its parts when it is encoded.
type Event struct {
	ID             uint64
	Type           uint32
	Subtype        uint32
	KTime          int64 // nanoseconds since boot
	TimeSeq        uint64
	CPU            uint32
	PID            uint32
	GlobalSeq      uint64
	LocalSeq       uint64
	Flags          uint32
	Priority       uint32
	Version        uint32 // as decoded; 1 is written
	Checksum       uint32 // as decoded; encoding makes its own
	Compression    uint32
	Encryption     uint32
	Parent         uint64
	RootCause      uint64
	Visibility     uint64
	Relevance      uint32
	ReplayPriority uint32

	// Context is nil in a compact event.
	Context *Context
	// ContextBytes is how much of the context is stored; 0 stands for all of
	// it. Only a journal with the warning event-context-size has another value.
	ContextBytes uint32
	Payload      []byte
	Metadata     []byte
	Links        []Link
}

// ErrTooLarge says that a part of an event does not fit the layout.
var ErrTooLarge = errors.New("too large for the event layout")

// errNotEvent says that bytes are no event of this layout.
var errNotEvent = errors.New("not an event")

// DecodeEvent reads the event that b starts with. Payload, metadata and texts
// are copies.
func DecodeEvent(b []byte) (*Event, error) {
	size, why := measure(b, int64(len(b)))
	if why != taken {
		return nil, fmt.Errorf("%w: %s", errNotEvent, why)
	}
	e := &Event{}
	e.decode(b[:size])
	e.Payload, e.Metadata = append([]byte(nil), e.Payload...), append([]byte(nil), e.Metadata...)
	return e, nil
}

// decode reads the event in b, which measure found to be one. Payload and
// metadata point into b.
func (e *Event) decode(b []byte) {
	links := e.Links[:0]
	*e = Event{}
	e.decodeHeader(b)
	s := sizesOf(b)
	at := EventSize
	if s.context > 0 {
		e.Context = new(Context)
		e.Context.decode(b[at : at+s.context])
		if s.context != ContextSize {
			e.ContextBytes = uint32(s.context)
		}
	}
	at += s.context
	e.Payload = b[at : at+s.payload : at+s.payload]
	at += s.payload
	e.Metadata = b[at : at+s.metadata : at+s.metadata]
	e.Links = decodeLinks(links, b[at+s.metadata:])
}

func (e *Event) decodeHeader(b []byte) {
	e.ID = le.Uint64(b[evID:])
	e.Type = le.Uint32(b[evType:])
	e.Subtype = le.Uint32(b[evSubtype:])
	e.KTime = int64(le.Uint64(b[evKTime:]))
	e.TimeSeq = le.Uint64(b[evTimeSeq:])
	e.CPU = le.Uint32(b[evCPU:])
	e.PID = le.Uint32(b[evPID:])
	e.GlobalSeq = le.Uint64(b[evGlobalSeq:])
	e.LocalSeq = le.Uint64(b[evLocalSeq:])
	e.Flags = le.Uint32(b[evFlags:])
	e.Priority = le.Uint32(b[evPriority:])
	e.Version = le.Uint32(b[evVersion:])
	e.Checksum = le.Uint32(b[evSum:])
	e.Compression = le.Uint32(b[evCompress:])
	e.Encryption = le.Uint32(b[evEncrypt:])
	e.Parent = le.Uint64(b[evParent:])
	e.RootCause = le.Uint64(b[evRoot:])
	e.Visibility = le.Uint64(b[evVisibility:])
	e.Relevance = le.Uint32(b[evRelevance:])
	e.ReplayPriority = le.Uint32(b[evReplay:])
}

// contextBytes is the size of the context on disk.
func (e *Event) contextBytes() int {
	switch {
	case e.Context == nil:
		return 0
	case e.ContextBytes == 0:
		return ContextSize
	}
	return int(min(e.ContextBytes, ContextSize))
}

// Size is the event's size on disk in bytes.
func (e *Event) Size() int {
	return EventSize + e.contextBytes() + len(e.Payload) + len(e.Metadata) + LinkSize*len(e.Links)
}

// check returns [ErrTooLarge] for an event that has no encoding.
func (e *Event) check() error {
	what := ""
	switch {
	case len(e.Payload) > MaxPayload:
		what = "payload"
	case len(e.Metadata) > MaxMetadata:
		what = "metadata"
	case len(e.Links) > MaxLinks:
		what = "list of links"
	case e.Context != nil:
		what = e.Context.fits()
	}
	for i := range e.Links {
		if len(e.Links[i].Text) > lenLinkText {
			what = "link's description"
		}
	}
	if what == "" {
		return nil
	}
	return fmt.Errorf("event %d: %s: %w", e.ID, what, ErrTooLarge)
}

// Append encodes the event with its checksum and appends it to dst.
func (e *Event) Append(dst []byte) ([]byte, error) {
	if err := e.check(); err != nil {
		return dst, err
	}
	n, start := e.Size(), len(dst)
	dst = append(dst, make([]byte, n)...)
	b := dst[start:]
	e.encodeHeader(b)
	at := EventSize
	if e.Context != nil {
		// A partial context is the front of a whole one.
		var full [ContextSize]byte
		e.Context.encode(full[:])
		at += copy(b[at:], full[:e.contextBytes()])
	}
	at += copy(b[at:], e.Payload)
	at += copy(b[at:], e.Metadata)
	for i := range e.Links {
		e.Links[i].encode(b[at+i*LinkSize:])
	}
	le.PutUint32(b[evSum:], sumWithout(b, evSum))
	return dst, nil
}

func (e *Event) encodeHeader(b []byte) {
	le.PutUint64(b[evID:], e.ID)
	le.PutUint32(b[evType:], e.Type)
	le.PutUint32(b[evSubtype:], e.Subtype)
	le.PutUint64(b[evKTime:], uint64(e.KTime))
	le.PutUint64(b[evTimeSeq:], e.TimeSeq)
	le.PutUint32(b[evCPU:], e.CPU)
	le.PutUint32(b[evPID:], e.PID)
	le.PutUint64(b[evGlobalSeq:], e.GlobalSeq)
	le.PutUint64(b[evLocalSeq:], e.LocalSeq)
	le.PutUint32(b[evFlags:], e.Flags)
	le.PutUint32(b[evPriority:], e.Priority)
	le.PutUint32(b[evSize:], uint32(len(b)))
	le.PutUint32(b[evContext:], uint32(e.contextBytes()))
	le.PutUint32(b[evPayload:], uint32(len(e.Payload)))
	le.PutUint32(b[evMetadata:], uint32(len(e.Metadata)))
	le.PutUint32(b[evVersion:], eventVersion)
	le.PutUint32(b[evCompress:], e.Compression)
	le.PutUint32(b[evEncrypt:], e.Encryption)
	le.PutUint32(b[evLinks:], uint32(len(e.Links)))
	le.PutUint64(b[evParent:], e.Parent)
	le.PutUint64(b[evRoot:], e.RootCause)
	le.PutUint64(b[evVisibility:], e.Visibility)
	le.PutUint32(b[evRelevance:], e.Relevance)
	le.PutUint32(b[evReplay:], e.ReplayPriority)
}
