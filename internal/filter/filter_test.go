package filter

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/vexfs/vexctl/internal/event"
	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/render"
)

func sample() *format.Record {
	r := &format.Record{Offset: 4096, Length: 1024, Kind: format.Event, Zone: format.Live}
	r.SetSeq(41)
	r.SetTid(7)
	r.SetTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	r.Fields.Str("block_type", 0, 0, "directory")
	r.Fields.Uint("inode", 0, 0, 12)
	r.Fields.Texts("names", []string{"a", "b\xff"})
	r.Fields.Uints("blocks", 0, 0, []uint64{5, 6})
	r.Fields.Hex("checksum", 0, 4, 0xbeef)
	r.Event = &event.Event{ID: 9, Type: event.FSWrite, Path: "src/main.go", PID: 4711}
	return r
}

func TestMatch(t *testing.T) {
	for expr, want := range map[string]bool{
		`type == "fs.write" && path.startsWith("src/") && !(pid == 4711)`: false,
		`type == "fs.write" && path.startsWith("src/") && pid == 4711`:    true,
		`kind == "event" && zone == "live" && offset == 4096`:             true,
		`seq > 40 && tid < 8`:                                     true,
		`fields.inode == 12`:                                      true,
		`fields.block_type == "directory"`:                        true,
		`"a" in fields.names`:                                     true,
		`5 in fields.blocks`:                                      true,
		`fields.checksum == "0000beef"`:                           true,
		`fields.nowhere == 1`:                                     false,
		`has(fields.nowhere)`:                                     false,
		`time > timestamp("2026-01-01T00:00:00Z")`:                true,
		`fault == ""`:                                             true,
		`1 / (seq - 41) == 0`:                                     false,
		`"atomic" in flag_names || links.exists(l, l.cause == 1)`: false,
		"kind == \"event\" // as it should be":                    true,
	} {
		f, err := Compile(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if got := f.Match(sample()); got != want {
			t.Errorf("%s: %t, want %t", expr, got, want)
		}
	}
}

func TestBadExpressionSaysWhere(t *testing.T) {
	for expr, column := range map[string]int{
		`kind = "event"`:       5,
		`kind == "event" && x`: 19,
		`seq == "1"`:           4,
		`seq + 1`:              0,
		``:                     0,
	} {
		_, err := Compile(expr)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: error %v", expr, err)
		} else if e.Column != column {
			t.Errorf("%q: column %d, want %d: %v", expr, e.Column, column, err)
		}
	}
}

func TestQuoteSurvivesCompilation(t *testing.T) {
	for _, s := range []string{"", "plain", `a"b\c`, "tab\tnewline\n", "é\u202e"} {
		f, err := Compile("name == " + Quote(s))
		if err != nil {
			t.Fatal(err)
		}
		if !f.Match(&format.Record{Event: &event.Event{Name: s}}) {
			t.Errorf("%q does not match itself", s)
		}
	}
}

func TestEveryVariableHasItsType(t *testing.T) {
	for _, r := range []*format.Record{{}, sample()} {
		for _, v := range Variables() {
			expr := v.Name + " == " + v.Name
			f, err := Compile(expr)
			if err != nil {
				t.Fatal(err)
			}
			if !f.Match(r) {
				t.Errorf("%s failed", expr)
			}
		}
	}
}

func TestFailuresAreNotSilent(t *testing.T) {
	for expr, silent := range map[string]bool{`fields.nowhere == 1`: true, `1 / (seq - 41) == 0`: false, `name.matches("(")`: false} {
		f, err := Compile(expr)
		if err != nil {
			continue // better still
		}
		f.Match(sample())
		if (f.Err() == nil) != silent {
			t.Errorf("%s: %v", expr, f.Err())
		}
	}
}

func TestExpressionsJoin(t *testing.T) {
	f, err := Compile(And(`kind == "event" // a comment`, "", "seq == 41"))
	if err != nil || !f.Match(sample()) {
		t.Errorf("%v", err)
	}
}

// The names of an event in JSON are those of the language.
func TestNamesAreThoseOfTheJSON(t *testing.T) {
	e := &event.Event{ID: 1, Type: event.FSWrite, Subtype: 1, HasTime: true, HasKTime: true, TimeSeq: 1, GlobalSeq: 1, LocalSeq: 1, CPU: 1, Flags: 1,
		Priority: 1, ReplayPriority: 1, HasOwner: true, PID: 1, Process: "p", AgentID: "a", Session: 1, Object: 1, Parent: 1, Name: "n", Path: "p",
		Inode: 1, FileType: 1, Errno: 1, Transaction: 1, ParentEvent: 1, RootCause: 1, CausalityChain: 1, Links: []event.Link{{}}, AgentIntent: "i",
		AgentConfidence: 1, Intent: "i", IntentConfidence: 1, Tags: "t", Relevance: 1, Visibility: 1, GraphNode: 1, GraphEdge: 1, GraphOperation: 1,
		VectorID: 1, VectorDimensions: 1, VectorElementType: 1, SystemLoad: 1, MemoryUsage: 1, IOPressure: 1, Payload: []byte{1}, Metadata: []byte{1}}
	var members map[string]any
	if err := json.Unmarshal(render.Event(nil, e), &members); err != nil {
		t.Fatal(err)
	}
	for name := range members {
		if _, ok := byName[name]; !ok {
			t.Errorf("%s is in the JSON and not in the language", name)
		}
	}
}
