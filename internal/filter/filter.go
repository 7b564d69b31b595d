// Package filter is the one filter language: CEL expressions over records.
//
// An expression sees a record's own values (offset, length, kind, zone, seq,
// tid, block, checksum, fault, time), the decoded values of its format as
// fields.NAME, and, for event journals, the values of its event by their plain
// names (type, path, pid, ...). [Variables] lists them. A value that a record
// does not have is zero or empty; an expression that asks for a member of
// fields that is not there does not match.
package filter

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/vexfs/vexctl/internal/event"
	"github.com/vexfs/vexctl/internal/format"
)

// Variable is a name that an expression may use.
type Variable struct {
	Name, Type, Doc string

	cel *cel.Type
	get func(*format.Record) any
}

// Filter is a compiled expression. It is safe for concurrent use.
type Filter struct {
	source  string
	program cel.Program
	failure atomic.Pointer[error]
}

// Error is a bad expression.
type Error struct {
	// Expression is the line of the source with the first mistake, Column its
	// 0-based place there.
	Expression string
	Column     int
	Message    string
}

func (e *Error) Error() string {
	return fmt.Sprintf("bad filter: %s\n  %s\n  %s^", e.Message, e.Expression, strings.Repeat(" ", e.Column))
}

var environment = sync.OnceValues(func() (*cel.Env, error) {
	opts := []cel.EnvOption{}
	for _, v := range variables {
		opts = append(opts, cel.Variable(v.Name, v.cel))
	}
	return cel.NewEnv(opts...)
})

// Compile parses and checks an expression, which must yield a truth value.
func Compile(expr string) (*Filter, error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(expr)
	if issues != nil && issues.Err() != nil {
		first := issues.Errors()[0]
		line := expr
		if lines := strings.Split(expr, "\n"); first.Location.Line() >= 1 && first.Location.Line() <= len(lines) {
			line = lines[first.Location.Line()-1]
		}
		return nil, &Error{Expression: line, Column: max(first.Location.Column(), 0), Message: first.Message}
	}
	if ast.OutputType() != cel.BoolType && ast.OutputType() != cel.DynType {
		return nil, &Error{Expression: expr, Message: fmt.Sprintf("the expression yields a %s, not true or false", ast.OutputType())}
	}
	// The limit keeps an expression that somebody else wrote from taking the
	// machine; honest ones cost a few dozen units.
	p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(1_000_000))
	if err != nil {
		return nil, &Error{Expression: expr, Message: err.Error()}
	}
	return &Filter{source: expr, program: p}, nil
}

// String returns the source.
func (f *Filter) String() string { return f.source }

// Match says whether a record passes. A nil filter passes everything.
func (f *Filter) Match(r *format.Record) bool {
	if f == nil {
		return true
	}
	v, _, err := f.program.Eval(activation{r})
	if err != nil {
		if !strings.Contains(err.Error(), "no such key") {
			f.failure.CompareAndSwap(nil, &err)
		}
		return false
	}
	return v == types.True
}

// Err returns the first failure of an evaluation, such as a division by zero:
// the records that failed did not match, and nobody knows whether they should.
func (f *Filter) Err() error {
	if f == nil {
		return nil
	}
	if err := f.failure.Load(); err != nil {
		return fmt.Errorf("the filter failed on some records, which are left out: %w", *err)
	}
	return nil
}

// activation looks values up in a record when an expression asks for them.
type activation struct{ r *format.Record }

func (a activation) ResolveName(name string) (any, bool) {
	if v, ok := byName[name]; ok {
		return v.get(a.r), true
	}
	return nil, false
}

func (a activation) Parent() cel.Activation { return nil }

var byName = map[string]*Variable{}

func init() {
	for i := range variables {
		byName[variables[i].Name] = &variables[i]
	}
}

// Variables lists all names, in the order of the documentation.
func Variables() []Variable { return variables }

var variables = []Variable{
	number("offset", "byte offset in the file", func(r *format.Record) int64 { return r.Offset }),
	number("journal_offset", "byte offset in the journal", func(r *format.Record) int64 { return r.JournalOffset }),
	number("length", "length in bytes", func(r *format.Record) int64 { return r.Length }),
	text("kind", "kind of record", func(r *format.Record) string { return r.Kind.String() }),
	text("zone", "part of the log's life", func(r *format.Record) string { return r.Zone.String() }),
	number("seq", "sequence", func(r *format.Record) int64 { return int64(r.Seq) }),
	number("tid", "transaction", func(r *format.Record) int64 { return int64(r.Tid) }),
	truth("has_seq", "whether the record has a sequence", func(r *format.Record) bool { return r.HasSeq }),
	truth("has_tid", "whether the record belongs to a transaction", func(r *format.Record) bool { return r.HasTid }),
	truth("is_event", "whether the record holds an event", func(r *format.Record) bool { return r.Event != nil }),
	number("block", "home block of a logged block", func(r *format.Record) int64 { return int64(r.Block) }),
	text("checksum", "ok, bad, none or unverifiable", func(r *format.Record) string { return r.Sum.String() }),
	text("fault", "code of the record's first fault, or empty", func(r *format.Record) string {
		if len(r.Faults) == 0 {
			return ""
		}
		return r.Faults[0].Code
	}),
	{"time", "timestamp", "when, as far as the record says", cel.TimestampType, func(r *format.Record) any {
		switch {
		case r.HasTime:
			return time.Unix(0, r.Time).UTC()
		case r.Event != nil && r.Event.HasTime:
			return time.Unix(0, r.Event.Time).UTC()
		}
		return time.Unix(0, 0).UTC()
	}},
	{"fields", "map", "decoded values, by the names of the format's page", cel.MapType(cel.StringType, cel.DynType), func(r *format.Record) any {
		return fieldMap{r.Fields}.value()
	}},
	ofEvent("id", "event id", func(e *event.Event) any { return int64(e.ID) }),
	ofEventText("type", "event type, such as fs.write", func(e *event.Event) string { return e.Type.String() }),
	ofEvent("code", "event type as a number", func(e *event.Event) any { return int64(e.Type) }),
	ofEventText("path", "path of the object", func(e *event.Event) string { return e.Path }),
	ofEventText("name", "name of the object", func(e *event.Event) string { return e.Name }),
	ofEvent("inode", "inode number", func(e *event.Event) any { return int64(e.Inode) }),
	ofEvent("pid", "process id", func(e *event.Event) any { return int64(e.PID) }),
	ofEventText("process", "process name", func(e *event.Event) string { return e.Process }),
	ofEvent("uid", "user id", func(e *event.Event) any { return int64(e.UID) }),
	ofEvent("gid", "group id", func(e *event.Event) any { return int64(e.GID) }),
	ofEvent("cpu", "processor", func(e *event.Event) any { return int64(e.CPU) }),
	ofEvent("errno", "0 for success", func(e *event.Event) any { return int64(e.Errno) }),
	ofEventText("agent", "agent id", func(e *event.Event) string { return e.AgentID }),
	ofEvent("session", "session", func(e *event.Event) any { return int64(e.Session) }),
	ofEvent("tx", "the event's transaction", func(e *event.Event) any { return int64(e.Transaction) }),
	ofEvent("priority", "1 critical to 5 background", func(e *event.Event) any { return int64(e.Priority) }),
	ofEvent("relevance", "0 to 100", func(e *event.Event) any { return int64(e.Relevance) }),
	ofEventText("tags", "tags", func(e *event.Event) string { return e.Tags }),
	ofEventText("intent", "intent", func(e *event.Event) string { return e.Intent }),
	ofEvent("confidence", "of the intent, 0 to 100", func(e *event.Event) any { return int64(e.IntentConfidence) }),
	ofEventText("agent_intent", "what the agent meant to do", func(e *event.Event) string { return e.AgentIntent }),
	ofEvent("agent_confidence", "of the agent's intent, 0 to 100", func(e *event.Event) any { return int64(e.AgentConfidence) }),
	ofEvent("subtype", "the exact operation", func(e *event.Event) any { return int64(e.Subtype) }),
	ofEvent("ktime", "nanoseconds since boot", func(e *event.Event) any { return e.KTime }),
	ofEvent("time_seq", "order within a moment", func(e *event.Event) any { return int64(e.TimeSeq) }),
	ofEvent("global_seq", "global sequence", func(e *event.Event) any { return int64(e.GlobalSeq) }),
	ofEvent("local_seq", "local sequence", func(e *event.Event) any { return int64(e.LocalSeq) }),
	ofEvent("object", "object id", func(e *event.Event) any { return int64(e.Object) }),
	ofEvent("parent", "object id of the parent", func(e *event.Event) any { return int64(e.Parent) }),
	ofEvent("file_type", "mode & 0170000", func(e *event.Event) any { return int64(e.FileType) }),
	ofEvent("parent_event", "id of the event that led to this one", func(e *event.Event) any { return int64(e.ParentEvent) }),
	ofEvent("root_cause", "id of the first event of the chain", func(e *event.Event) any { return int64(e.RootCause) }),
	ofEvent("causality_chain", "the chain", func(e *event.Event) any { return int64(e.CausalityChain) }),
	ofEvent("flags", "flags, one bit each", func(e *event.Event) any { return int64(e.Flags) }),
	{"flag_names", "list", "names of the flags that are set", cel.ListType(cel.StringType), func(r *format.Record) any {
		if r.Event == nil {
			return []string(nil)
		}
		return r.Event.Flags.Names()
	}},
	{"visibility", "string", "mask of agents that may see the event, 16 hex digits", cel.StringType, func(r *format.Record) any {
		if r.Event == nil {
			return ""
		}
		return fmt.Sprintf("%016x", r.Event.Visibility)
	}},
	ofEvent("replay_priority", "1 critical to 5 background", func(e *event.Event) any { return int64(e.ReplayPriority) }),
	ofEvent("graph_node", "graph node", func(e *event.Event) any { return int64(e.GraphNode) }),
	ofEvent("graph_edge", "graph edge", func(e *event.Event) any { return int64(e.GraphEdge) }),
	ofEvent("graph_operation", "graph operation", func(e *event.Event) any { return int64(e.GraphOperation) }),
	ofEvent("vector", "vector id", func(e *event.Event) any { return int64(e.VectorID) }),
	ofEvent("vector_dimensions", "dimensions of the vector", func(e *event.Event) any { return int64(e.VectorDimensions) }),
	ofEvent("vector_element_type", "1 float32, 2 float16, 3 int8, 4 binary", func(e *event.Event) any { return int64(e.VectorElementType) }),
	ofEvent("system_load", "load of the system", func(e *event.Event) any { return int64(e.SystemLoad) }),
	ofEvent("memory_usage", "memory in use", func(e *event.Event) any { return int64(e.MemoryUsage) }),
	ofEvent("io_pressure", "pressure on the disks", func(e *event.Event) any { return int64(e.IOPressure) }),
	ofEventText("payload", "the payload, as hex", func(e *event.Event) string { return fmt.Sprintf("%x", e.Payload) }),
	ofEventText("metadata", "the metadata, as hex", func(e *event.Event) string { return fmt.Sprintf("%x", e.Metadata) }),
	{"links", "list", "causality links: cause, effect, type, strength, delay_ns, description", cel.ListType(cel.DynType), func(r *format.Record) any {
		if r.Event == nil {
			return []any(nil)
		}
		out := []any{}
		for _, l := range r.Event.Links {
			out = append(out, map[string]any{"cause": int64(l.Cause), "effect": int64(l.Effect), "type": int64(l.Type),
				"strength": int64(l.Strength), "delay_ns": l.Delay, "description": l.Description})
		}
		return out
	}},
}

func number(name, doc string, get func(*format.Record) int64) Variable {
	return Variable{name, "int", doc, cel.IntType, func(r *format.Record) any { return get(r) }}
}

func truth(name, doc string, get func(*format.Record) bool) Variable {
	return Variable{name, "bool", doc, cel.BoolType, func(r *format.Record) any { return get(r) }}
}

func text(name, doc string, get func(*format.Record) string) Variable {
	return Variable{name, "string", doc, cel.StringType, func(r *format.Record) any { return get(r) }}
}

func ofEvent(name, doc string, get func(*event.Event) any) Variable {
	return Variable{name, "int", doc, cel.IntType, func(r *format.Record) any {
		if r.Event == nil {
			return int64(0)
		}
		return get(r.Event)
	}}
}

func ofEventText(name, doc string, get func(*event.Event) string) Variable {
	return Variable{name, "string", doc, cel.StringType, func(r *format.Record) any {
		if r.Event == nil {
			return ""
		}
		return get(r.Event)
	}}
}

// fieldMap turns fields into what CEL works on.
type fieldMap struct{ fields format.Fields }

func (m fieldMap) value() map[string]any {
	out := make(map[string]any, len(m.fields))
	for i := range m.fields {
		out[m.fields[i].Name] = fieldValue(&m.fields[i])
	}
	return out
}

func fieldValue(f *format.Field) any {
	switch f.Type {
	case format.TypeBool:
		return f.U != 0
	case format.TypeText:
		return strings.ToValidUTF8(f.S, "\uFFFD")
	case format.TypeHash:
		return fmt.Sprintf("%x", f.S)
	case format.TypeHex:
		return fmt.Sprintf("%0*x", f.Width, f.U)
	case format.TypeTime:
		return time.Unix(0, int64(f.U)).UTC()
	case format.TypeUints:
		out := make([]int64, len(f.L))
		for i, v := range f.L {
			out[i] = int64(v)
		}
		return out
	case format.TypeTexts:
		return f.T
	case format.TypeNested:
		return fieldMap{f.Sub}.value()
	case format.TypeObjects:
		out := make([]any, len(f.List))
		for i, v := range f.List {
			out[i] = fieldMap{v}.value()
		}
		return out
	}
	return int64(f.U)
}

// And joins expressions; empty ones are left out.
func And(exprs ...string) string {
	var parts []string
	for _, e := range exprs {
		if e != "" {
			parts = append(parts, "("+e+"\n)") // the line may end in a comment
		}
	}
	return strings.Join(parts, " && ")
}

// Quote returns s as a CEL string.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20 || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// IsBad says whether err is about an expression.
func IsBad(err error) bool {
	var e *Error
	return errors.As(err, &e)
}
