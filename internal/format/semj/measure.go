package semj

// verdict says whether an event starts at some place, and if not, why.
type verdict uint8

const (
	taken      verdict = iota // an event: its size can be relied on
	notEvent                  // its version says that it is none
	badSize                   // its sizes contradict each other, or a limit
	tooLong                   // it would go on beyond the end
	unreadable                // the device could not read it
)

func (v verdict) String() string {
	return [...]string{"an event", "no event of version 1", "its sizes do not add up", "cut off by the end", "unreadable"}[v]
}

// sizes are the sizes of an event's parts, within their limits.
type sizes struct {
	context, payload, metadata, links int
}

func sizesOf(b []byte) sizes {
	return sizes{
		context:  int(le.Uint32(b[evContext:])),
		payload:  int(le.Uint32(b[evPayload:])),
		metadata: int(le.Uint32(b[evMetadata:])),
		links:    int(le.Uint32(b[evLinks:])),
	}
}

func (s sizes) allowed() bool {
	return s.context <= ContextSize && s.payload <= MaxPayload && s.metadata <= MaxMetadata && s.links <= MaxLinks
}

func (s sizes) total() int { return EventSize + s.context + s.payload + s.metadata + LinkSize*s.links }

// measure judges the event header that b starts with, with room bytes from
// there to the place where events end, and returns the event's size.
func measure(b []byte, room int64) (size int, why verdict) {
	if len(b) < EventSize {
		return 0, cutHeader(b)
	}
	if le.Uint32(b[evVersion:]) != eventVersion {
		return 0, notEvent
	}
	s := sizesOf(b)
	if !s.allowed() || uint64(s.total()) != uint64(le.Uint32(b[evSize:])) {
		return 0, badSize
	}
	if int64(s.total()) > room {
		return 0, tooLong
	}
	return s.total(), taken
}

// cutHeader judges the front of an event header that the end cuts off.
func cutHeader(b []byte) verdict {
	if number(part(b, evID, 8)) == 0 {
		return notEvent
	}
	if len(b) >= evSum && le.Uint32(b[evVersion:]) != eventVersion {
		return notEvent
	}
	return tooLong
}
