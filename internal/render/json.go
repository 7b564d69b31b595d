// Package render turns records, events, fields and findings into text: JSON
// for programs, and lines for people.
//
// The JSON is written by hand, value by value into one buffer, because a
// journal has hundreds of thousands of records and a person waits for them.
// docs/json.md is its contract.
package render

import (
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/vexfs/vexctl/internal/event"
	"github.com/vexfs/vexctl/internal/format"
)

// Schema is the version of the JSON.
const Schema = 1

// Record appends a record as one JSON object, without a newline.
func Record(b []byte, r *format.Record) []byte {
	b = append(b, `{"schema":1,"type":"record","offset":`...)
	b = strconv.AppendInt(b, r.Offset, 10)
	if r.JournalOffset != r.Offset {
		b = append(b, `,"journal_offset":`...)
		b = strconv.AppendInt(b, r.JournalOffset, 10)
	}
	b = append(b, `,"length":`...)
	b = strconv.AppendInt(b, r.Length, 10)
	b = append(b, `,"kind":"`...)
	b = append(b, r.Kind.String()...)
	b = append(b, '"')
	if r.Zone != format.NoZone {
		b = append(b, `,"zone":"`...)
		b = append(b, r.Zone.String()...)
		b = append(b, '"')
	}
	if r.HasSeq {
		b = uintMember(b, "seq", r.Seq)
	}
	if r.HasTid {
		b = uintMember(b, "tid", r.Tid)
	}
	if r.HasTime {
		b = append(b, `,"time":`...)
		b = Time(b, r.Time)
	}
	if r.HasBlock {
		b = uintMember(b, "block", r.Block)
	}
	b = append(b, `,"checksum":"`...)
	b = append(b, r.Sum.String()...)
	b = append(b, '"')
	if len(r.Fields) > 0 {
		b = append(b, `,"fields":`...)
		b = Fields(b, r.Fields)
	}
	if r.Event != nil {
		b = append(b, `,"event":`...)
		b = Event(b, r.Event)
	}
	if len(r.Faults) > 0 {
		b = append(b, `,"fault":`...)
		b = String(b, r.Faults[0].Code)
		b = append(b, `,"faults":[`...)
		for i := range r.Faults {
			if i > 0 {
				b = append(b, ',')
			}
			b = Fault(b, &r.Faults[i], "")
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func uintMember(b []byte, name string, v uint64) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return strconv.AppendUint(b, v, 10)
}

// Fault appends a fault as a JSON object; severity is left out when empty.
func Fault(b []byte, f *format.Fault, severity string) []byte {
	b = append(b, `{"code":`...)
	b = String(b, f.Code)
	if severity != "" {
		b = append(b, `,"severity":"`...)
		b = append(b, severity...)
		b = append(b, '"')
	}
	b = append(b, `,"offset":`...)
	b = strconv.AppendInt(b, f.Offset, 10)
	if f.JournalOffset != f.Offset {
		b = append(b, `,"journal_offset":`...)
		b = strconv.AppendInt(b, f.JournalOffset, 10)
	}
	b = append(b, `,"length":`...)
	b = strconv.AppendInt(b, f.Length, 10)
	if f.HasSeq {
		b = uintMember(b, "seq", f.Seq)
	}
	if f.HasTid {
		b = uintMember(b, "tid", f.Tid)
	}
	if f.Found != "" || f.Want != "" {
		b = append(b, `,"found":`...)
		b = String(b, f.Found)
		b = append(b, `,"expected":`...)
		b = String(b, f.Want)
	}
	if f.FlipOffset >= 0 {
		b = append(b, `,"flipped":{"offset":`...)
		b = strconv.AppendInt(b, f.FlipOffset, 10)
		b = uintMember(b, "bit", uint64(f.FlipBit))
		b = append(b, '}')
	}
	b = append(b, `,"message":`...)
	b = String(b, f.Message)
	if len(f.Fields) > 0 {
		b = append(b, `,"fields":`...)
		b = Fields(b, f.Fields)
	}
	return append(b, '}')
}

// Fields appends fields as a JSON object.
func Fields(b []byte, fs format.Fields) []byte {
	b = append(b, '{')
	for i := range fs {
		if i > 0 {
			b = append(b, ',')
		}
		b = member(b, &fs[i])
	}
	return append(b, '}')
}

func member(b []byte, f *format.Field) []byte {
	b = append(b, '"')
	b = append(b, f.Name...)
	b = append(b, '"', ':')
	b = Value(b, f)
	switch f.Type {
	case format.TypeText:
		if !utf8.ValidString(f.S) {
			b = append(b, ',', '"')
			b = append(b, f.Name...)
			b = append(b, `_b64":"`...)
			b = base64.StdEncoding.AppendEncode(b, []byte(f.S))
			b = append(b, '"')
		}
	case format.TypeTexts:
		b = rawTexts(b, f)
	}
	return b
}

// rawTexts adds the bytes of a list of texts when one of them is not UTF-8.
func rawTexts(b []byte, f *format.Field) []byte {
	valid := true
	for _, s := range f.T {
		valid = valid && utf8.ValidString(s)
	}
	if valid {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, f.Name...)
	b = append(b, `_b64":[`...)
	for i, s := range f.T {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, []byte(s))
		b = append(b, '"')
	}
	return append(b, ']')
}

// Value appends a field's value as JSON.
func Value(b []byte, f *format.Field) []byte {
	switch f.Type {
	case format.TypeUint:
		return strconv.AppendUint(b, f.U, 10)
	case format.TypeInt:
		return strconv.AppendInt(b, int64(f.U), 10)
	case format.TypeBool:
		return strconv.AppendBool(b, f.U != 0)
	case format.TypeHex:
		b = append(b, '"')
		b = Hex(b, f.U, int(f.Width))
		return append(b, '"')
	case format.TypeHash:
		b = append(b, '"')
		b = hexBytes(b, f.S)
		return append(b, '"')
	case format.TypeText:
		return String(b, f.S)
	case format.TypeTime:
		return Time(b, int64(f.U))
	case format.TypeUints:
		b = append(b, '[')
		for i, v := range f.L {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendUint(b, v, 10)
		}
		return append(b, ']')
	case format.TypeTexts:
		b = append(b, '[')
		for i, v := range f.T {
			if i > 0 {
				b = append(b, ',')
			}
			b = String(b, v)
		}
		return append(b, ']')
	case format.TypeNested:
		return Fields(b, f.Sub)
	case format.TypeObjects:
		b = append(b, '[')
		for i, v := range f.List {
			if i > 0 {
				b = append(b, ',')
			}
			b = Fields(b, v)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

const hexDigits = "0123456789abcdef"

// Hex appends v as width lower-case hex digits.
func Hex(b []byte, v uint64, width int) []byte {
	for i := width - 1; i >= 0; i-- {
		b = append(b, hexDigits[v>>(4*i)&15])
	}
	return b
}

func hexBytes(b []byte, s string) []byte {
	for i := range len(s) {
		b = append(b, hexDigits[s[i]>>4], hexDigits[s[i]&15])
	}
	return b
}

// Time appends a moment, in ns since 1970, as RFC 3339 with nine digits of a
// second, in UTC and quoted.
func Time(b []byte, ns int64) []byte {
	b = append(b, '"')
	b = time.Unix(0, ns).UTC().AppendFormat(b, "2006-01-02T15:04:05.000000000Z")
	return append(b, '"')
}

// String appends s as a JSON string. What is not UTF-8 becomes U+FFFD.
func String(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[start:i]...)
			b = escape(b, c)
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, s[start:i]...)
			b = append(b, "\uFFFD"...)
			start = i + 1
		}
		i += n
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func escape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\t':
		return append(b, '\\', 't')
	case '\r':
		return append(b, '\\', 'r')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// Event appends an event as a JSON object. Members that are zero, and mean
// nothing then, are left out.
func Event(b []byte, e *event.Event) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendUint(b, e.ID, 10)
	b = append(b, `,"type":`...)
	b = String(b, e.Type.String())
	b = uintMember(b, "code", uint64(e.Type))
	for _, m := range eventMembers(e) {
		b = append(b, ',')
		b = member(b, &m)
	}
	return append(b, '}')
}

// eventMembers lists what is set of an event, under the names that filters use
// as well.
func eventMembers(e *event.Event) format.Fields {
	var f format.Fields
	num := func(name string, v uint64) {
		if v != 0 {
			f.Uint(name, 0, 0, v)
		}
	}
	str := func(name, v string) {
		if v != "" {
			f.Str(name, 0, 0, v)
		}
	}
	num("subtype", uint64(e.Subtype))
	if e.HasTime {
		f.Time("time", 0, 0, e.Time)
	}
	if e.HasKTime {
		f.Int("ktime", 0, 0, e.KTime)
	}
	num("time_seq", e.TimeSeq)
	num("global_seq", e.GlobalSeq)
	num("local_seq", e.LocalSeq)
	num("cpu", uint64(e.CPU))
	if e.HasOwner {
		f.Uint("uid", 0, 0, uint64(e.UID))
		f.Uint("gid", 0, 0, uint64(e.GID))
	}
	num("pid", uint64(e.PID))
	str("process", e.Process)
	str("agent", e.AgentID)
	num("session", e.Session)
	num("object", e.Object)
	num("parent", e.Parent)
	str("name", e.Name)
	str("path", e.Path)
	num("inode", e.Inode)
	num("file_type", uint64(e.FileType))
	num("errno", uint64(e.Errno))
	num("tx", e.Transaction)
	num("parent_event", e.ParentEvent)
	num("root_cause", e.RootCause)
	num("causality_chain", e.CausalityChain)
	if len(e.Links) > 0 {
		f.Objects("links", 0, 0, linkFields(e.Links))
	}
	str("agent_intent", e.AgentIntent)
	num("agent_confidence", uint64(e.AgentConfidence))
	str("intent", e.Intent)
	num("confidence", uint64(e.IntentConfidence))
	str("tags", e.Tags)
	num("flags", uint64(e.Flags))
	if names := e.Flags.Names(); names != nil {
		f.Texts("flag_names", names)
	}
	num("priority", uint64(e.Priority))
	num("relevance", uint64(e.Relevance))
	if e.Visibility != 0 {
		f.Hex("visibility", 0, 8, e.Visibility)
	}
	num("replay_priority", uint64(e.ReplayPriority))
	num("graph_node", e.GraphNode)
	num("graph_edge", e.GraphEdge)
	num("graph_operation", uint64(e.GraphOperation))
	num("vector", e.VectorID)
	num("vector_dimensions", uint64(e.VectorDimensions))
	num("vector_element_type", uint64(e.VectorElementType))
	num("system_load", uint64(e.SystemLoad))
	num("memory_usage", e.MemoryUsage)
	num("io_pressure", uint64(e.IOPressure))
	if len(e.Payload) > 0 {
		f.Hash("payload", 0, e.Payload)
	}
	if len(e.Metadata) > 0 {
		f.Hash("metadata", 0, e.Metadata)
	}
	return f
}

func linkFields(links []event.Link) []format.Fields {
	out := make([]format.Fields, len(links))
	for i, l := range links {
		out[i].Uint("cause", 0, 0, l.Cause)
		out[i].Uint("effect", 0, 0, l.Effect)
		out[i].Uint("type", 0, 0, uint64(l.Type))
		out[i].Uint("strength", 0, 0, uint64(l.Strength))
		out[i].Int("delay_ns", 0, 0, l.Delay)
		out[i].Str("description", 0, 0, l.Description)
	}
	return out
}

// Member appends a text as a member of an object, with its raw bytes beside it
// when it is not UTF-8.
func Member(b []byte, name, value string) []byte {
	return member(b, &format.Field{Name: name, Type: format.TypeText, S: value})
}

// Strings appends a list of texts as a JSON array.
func Strings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = String(b, s)
	}
	return append(b, ']')
}
