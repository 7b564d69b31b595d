package semj

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/event"
)

// randomBytes returns up to n bytes, often none.
func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, max(0, r.IntN(2*n)-n))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// randomText fills a text field of n bytes with anything, zeros included.
func randomText(r *rand.Rand, n int) Text {
	b := randomBytes(r, n)
	for i := range b {
		if r.IntN(20) == 0 {
			b[i] = 0
		}
	}
	if r.IntN(4) == 0 {
		b = append(b, make([]byte, n-len(b))...)
		b[n-1] = 0xee // no zero at the end
	}
	return text(b)
}

func randomEvent(r *rand.Rand, typ event.Type) *Event {
	e := &Event{
		ID: r.Uint64(), Type: uint32(typ), Subtype: r.Uint32(), KTime: int64(r.Uint64()), TimeSeq: r.Uint64(),
		CPU: r.Uint32(), PID: r.Uint32(), GlobalSeq: r.Uint64(), LocalSeq: r.Uint64(), Flags: r.Uint32(),
		Priority: r.Uint32(), Version: 1, Compression: r.Uint32N(3), Encryption: r.Uint32N(2), Parent: r.Uint64(),
		RootCause: r.Uint64(), Visibility: r.Uint64(), Relevance: r.Uint32(), ReplayPriority: r.Uint32(),
		Payload: randomBytes(r, 300), Metadata: randomBytes(r, 100),
	}
	for range r.IntN(4) {
		e.Links = append(e.Links, Link{r.Uint64(), r.Uint64(), r.Uint32(), r.Uint32(), int64(r.Uint64()), randomText(r, lenLinkText)})
	}
	switch r.IntN(4) {
	case 0:
	case 1:
		e.Context = randomContext(r)
		// A context that is cut off can only hold what is before the cut.
		e.ContextBytes = 1 + r.Uint32N(ContextSize-1)
		var b [ContextSize]byte
		e.Context.encode(b[:])
		e.Context.decode(b[:e.ContextBytes])
	default:
		e.Context = randomContext(r)
	}
	return e
}

func randomContext(r *rand.Rand) *Context {
	c := &Context{}
	for _, p := range c.places() {
		switch {
		case r.IntN(3) == 0:
		case p.text != nil:
			*p.text = randomText(r, p.size)
		case p.u64 != nil:
			*p.u64 = r.Uint64()
		default:
			*p.u32 = r.Uint32()
		}
	}
	return c
}

// same compares events; nil and empty lists are the same.
func same(a, b *Event) bool {
	x, y := *a, *b
	for _, e := range []*Event{&x, &y} {
		e.Checksum, e.Version = 0, 1
		if len(e.Payload) == 0 {
			e.Payload = nil
		}
		if len(e.Metadata) == 0 {
			e.Metadata = nil
		}
		if len(e.Links) == 0 {
			e.Links = nil
		}
	}
	return reflect.DeepEqual(x, y)
}

func TestRoundTrip(t *testing.T) {
	types := []event.Type{0, 0x010D, 0x070D, 0x0913, 0xFFFFFFFF}
	for _, x := range event.Types() {
		types = append(types, x.Type)
	}
	r := rand.New(rand.NewPCG(4, 7))
	for _, typ := range types {
		for range 12 {
			roundTrip(t, randomEvent(r, typ))
		}
	}
}

// roundTrip takes an event to bytes and back, and to the shared model and back.
func roundTrip(t *testing.T, e *Event) {
	t.Helper()
	b := encode(t, e)
	d, err := DecodeEvent(b)
	if err != nil {
		t.Fatal(err)
	}
	if !same(d, e) {
		t.Fatalf("decoded %+v\nwant %+v", d, e)
	}
	if !bytes.Equal(encode(t, d), b) {
		t.Fatal("encoding again gives other bytes")
	}
	back, err := FromSemantic(d.Semantic())
	if err != nil {
		t.Fatal(err)
	}
	if !same(back, e) || !bytes.Equal(encode(t, back), b) {
		t.Fatalf("through the shared model: %+v\nwant %+v", back, e)
	}
	if lost := Unplaced(d.Semantic()); len(lost) != 0 {
		t.Fatalf("unplaced: %v", lost)
	}
}

// Every byte of a valid record survives, whatever it is.
func TestRoundTripOfAnyBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		b := encode(t, randomEvent(r, 0x0104))
		s := sizesOf(b)
		for i := range b {
			switch {
			case i >= evSize && i < evCompress, i >= evLinks && i < evParent:
			case r.IntN(3) == 0:
				b[i] = byte(r.Uint32())
			}
		}
		mendEvent(b)
		d, err := DecodeEvent(b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := FromSemantic(d.Semantic())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encode(t, back), b) {
			t.Fatalf("other bytes came back, parts %+v", s)
		}
	}
}

func TestFromSemanticRefusesWhatDoesNotFit(t *testing.T) {
	for name, x := range map[string]*event.Event{
		"path":     {Path: strings.Repeat("p", lenPath)},
		"agent":    {AgentID: strings.Repeat("a", lenAgentID)},
		"tags":     {Tags: strings.Repeat("t", lenTags+1)},
		"zero":     {Path: "a\x00b"},
		"payload":  {Payload: make([]byte, MaxPayload+1)},
		"metadata": {Metadata: make([]byte, MaxMetadata+1)},
		"links":    {Links: make([]event.Link, MaxLinks+1)},
		"text":     {Links: []event.Link{{Description: strings.Repeat("d", lenLinkText)}}},
		"number":   {Extra: map[string]string{ExtraCompression: "many"}},
		"hex":      {Extra: map[string]string{extraRest + "path": "xx"}},
	} {
		if _, err := FromSemantic(x); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := FromSemantic(&event.Event{Path: strings.Repeat("p", lenPath-1)}); err != nil {
		t.Error(err)
	}
}

func TestUnplacedNamesWhatTheLayoutLacks(t *testing.T) {
	x := &event.Event{
		HasTime: true, HasOwner: true, Process: "p", Object: 1, Parent: 2, Name: "n", Errno: 5, Path: "/x",
		Extra: map[string]string{ExtraCompact: "1", "xattr": "v"},
	}
	if got := strings.Join(Unplaced(x), " "); got != "time owner process object parent name errno context extra" {
		t.Error(got)
	}
}

func TestHeaderAndIndexRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 100 {
		b := make([]byte, HeaderSize)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		h, x := DecodeHeader(b), DecodeIndexEntry(b)
		if !bytes.Equal(h.Encode(), b) || !bytes.Equal(x.Encode(), b) {
			t.Fatal("other bytes came back")
		}
	}
}
