package semj

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/vexfs/vexctl/internal/event"
)

// Names in [event.Event.Extra] for what only this layout has. Without them an
// event is encoded the way the kernel makes it: whole context, nothing else.
const (
	// ExtraCompact is "1" for an event without a context.
	ExtraCompact = "semj.compact"
	// ExtraContextSize is the size of a context that is stored in part.
	ExtraContextSize = "semj.context_size"
	ExtraCompression = "semj.compression_type"
	ExtraEncryption  = "semj.encryption_type"
	// extraRest + a text's name holds, in hex, what follows the text's first
	// zero byte; empty, it says that the text fills its field and has none. A
	// link's description is called links.N.
	extraRest = "semj.rest."
)

// Semantic returns the event in the model that all event journals share. It
// shares payload and metadata with e. What the model has no place for goes to
// Extra, so that [FromSemantic] gives e back.
func (e *Event) Semantic() *event.Event {
	x := &event.Event{
		ID: e.ID, Type: event.Type(e.Type), Subtype: e.Subtype, KTime: e.KTime, HasKTime: true,
		TimeSeq: e.TimeSeq, GlobalSeq: e.GlobalSeq, LocalSeq: e.LocalSeq, CPU: e.CPU, PID: e.PID,
		Flags: event.Flags(e.Flags), Priority: event.Priority(e.Priority), ReplayPriority: e.ReplayPriority,
		ParentEvent: e.Parent, RootCause: e.RootCause, Relevance: e.Relevance, Visibility: e.Visibility,
		Payload: e.Payload, Metadata: e.Metadata,
	}
	for i := range e.Links {
		x.Links = append(x.Links, e.Links[i].semantic())
	}
	if e.Context != nil {
		e.Context.semantic(x)
	}
	x.Extra = e.extra()
	return x
}

func (c *Context) semantic(x *event.Event) {
	x.Transaction, x.Session, x.CausalityChain = c.Transaction, c.Session, c.CausalityChain
	x.Path, x.Inode, x.FileType = c.Path.String(), c.Inode, c.FileType
	x.GraphNode, x.GraphEdge, x.GraphOperation = c.GraphNode, c.GraphEdge, c.GraphOperation
	x.VectorID, x.VectorDimensions, x.VectorElementType = c.VectorID, c.VectorDimensions, c.VectorElement
	x.AgentID, x.AgentIntent, x.AgentConfidence = c.AgentID.String(), c.AgentIntent.String(), c.AgentConfidence
	x.SystemLoad, x.MemoryUsage, x.IOPressure = c.SystemLoad, c.MemoryUsage, c.IOPressure
	x.Tags, x.Intent, x.IntentConfidence = c.Tags.String(), c.Intent.String(), c.IntentConfidence
}

// extra collects what the shared model can't hold; nil when there is nothing.
func (e *Event) extra() map[string]string {
	var m map[string]string
	put := func(name, value string) {
		if m == nil {
			m = map[string]string{}
		}
		m[name] = value
	}
	switch {
	case e.Context == nil:
		put(ExtraCompact, "1")
	case e.contextBytes() != ContextSize:
		put(ExtraContextSize, strconv.Itoa(e.contextBytes()))
	}
	if e.Compression != 0 {
		put(ExtraCompression, strconv.FormatUint(uint64(e.Compression), 10))
	}
	if e.Encryption != 0 {
		put(ExtraEncryption, strconv.FormatUint(uint64(e.Encryption), 10))
	}
	e.eachText(func(name string, size int, t *Text) {
		if rest := t.Rest(); rest != "" || len(t.String()) == size {
			put(extraRest+name, hex.EncodeToString([]byte(rest)))
		}
	})
	return m
}

// eachText calls f for every text field of e, with the field's size.
func (e *Event) eachText(f func(name string, size int, t *Text)) {
	if e.Context != nil {
		for _, p := range e.Context.places() {
			if p.text != nil {
				f(p.name, p.size, p.text)
			}
		}
	}
	for i := range e.Links {
		f("links."+strconv.Itoa(i), lenLinkText, &e.Links[i].Text)
	}
}

// FromSemantic is the inverse of [Event.Semantic] and encodes events from
// anywhere. Fields that the layout has no place for are left out: [Unplaced]
// names them. A text or a part that does not fit gives [ErrTooLarge].
func FromSemantic(x *event.Event) (*Event, error) {
	e := &Event{
		ID: x.ID, Type: uint32(x.Type), Subtype: x.Subtype, KTime: x.KTime,
		TimeSeq: x.TimeSeq, CPU: x.CPU, PID: x.PID, GlobalSeq: x.GlobalSeq, LocalSeq: x.LocalSeq,
		Flags: uint32(x.Flags), Priority: uint32(x.Priority), Version: eventVersion,
		Parent: x.ParentEvent, RootCause: x.RootCause, Visibility: x.Visibility,
		Relevance: x.Relevance, ReplayPriority: x.ReplayPriority, Payload: x.Payload, Metadata: x.Metadata,
	}
	for _, l := range x.Links {
		e.Links = append(e.Links, Link{l.Cause, l.Effect, l.Type, l.Strength, l.Delay, Text(l.Description)})
	}
	if x.Extra[ExtraCompact] == "" {
		e.Context = contextOf(x)
	}
	if err := e.textsFit(x.Extra); err != nil {
		return nil, err
	}
	if err := e.restore(x.Extra); err != nil {
		return nil, err
	}
	return e, e.check()
}

func contextOf(x *event.Event) *Context {
	return &Context{
		Transaction: x.Transaction, Session: x.Session, CausalityChain: x.CausalityChain,
		Path: Text(x.Path), Inode: x.Inode, FileType: x.FileType,
		GraphNode: x.GraphNode, GraphEdge: x.GraphEdge, GraphOperation: x.GraphOperation,
		VectorID: x.VectorID, VectorDimensions: x.VectorDimensions, VectorElement: x.VectorElementType,
		AgentID: Text(x.AgentID), AgentIntent: Text(x.AgentIntent), AgentConfidence: x.AgentConfidence,
		SystemLoad: x.SystemLoad, MemoryUsage: x.MemoryUsage, IOPressure: x.IOPressure,
		Tags: Text(x.Tags), Intent: Text(x.Intent), IntentConfidence: x.IntentConfidence,
	}
}

// textsFit refuses texts that would not come back as they are: those with a
// zero byte inside, and those that leave no room for the one at their end
// unless they were read that way.
func (e *Event) textsFit(extra map[string]string) (err error) {
	e.eachText(func(name string, size int, t *Text) {
		_, unended := extra[extraRest+name]
		switch {
		case err != nil:
		case strings.Contains(string(*t), "\x00"):
			err = fmt.Errorf("event %d: %s holds a zero byte", e.ID, name)
		case len(*t) > size || len(*t) == size && !unended:
			err = fmt.Errorf("event %d: %s: %w", e.ID, name, ErrTooLarge)
		}
	})
	return err
}

// restore puts back what extra took out.
func (e *Event) restore(m map[string]string) (err error) {
	number := func(name string, to *uint32) {
		if s, ok := m[name]; ok && err == nil {
			var v uint64
			if v, err = strconv.ParseUint(s, 10, 32); err != nil {
				err = fmt.Errorf("event %d: extra value %s: %w", e.ID, name, err)
			}
			*to = uint32(v)
		}
	}
	number(ExtraContextSize, &e.ContextBytes)
	number(ExtraCompression, &e.Compression)
	number(ExtraEncryption, &e.Encryption)
	e.eachText(func(name string, _ int, t *Text) {
		s := m[extraRest+name]
		if s == "" || err != nil {
			return
		}
		var rest []byte
		if rest, err = hex.DecodeString(s); err != nil {
			err = fmt.Errorf("event %d: extra value %s: %w", e.ID, extraRest+name, err)
		}
		*t += Text("\x00" + string(rest))
	})
	return err
}

// Unplaced names the fields of x that are set and have no place in the event
// layout, in the order of the model. A compact event has no context either.
func Unplaced(x *event.Event) []string {
	var out []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"time", x.HasTime}, {"owner", x.HasOwner}, {"process", x.Process != ""},
		{"object", x.Object != 0}, {"parent", x.Parent != 0}, {"name", x.Name != ""}, {"errno", x.Errno != 0},
	} {
		if f.set {
			out = append(out, f.name)
		}
	}
	if x.Extra[ExtraCompact] != "" && *contextOf(x) != (Context{}) {
		out = append(out, "context")
	}
	for name := range x.Extra {
		if !ours(name) {
			out = append(out, "extra")
			break
		}
	}
	return out
}

// ours reports whether an extra value is one that restore understands.
func ours(name string) bool {
	switch name {
	case ExtraCompact, ExtraContextSize, ExtraCompression, ExtraEncryption:
		return true
	}
	return strings.HasPrefix(name, extraRest)
}
