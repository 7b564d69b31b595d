package semj

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/event"
	"github.com/vexfs/vexctl/internal/format"
)

// goldenDir returns the directory of reference journals, which are made by an
// independent writer and are not part of this repository.
func goldenDir(t *testing.T) string {
	dir := os.Getenv("VEXCTL_GOLDEN")
	if dir == "" {
		t.Skip("SKIPPED: VEXCTL_GOLDEN is not set; it names a directory of reference journals (NAME.img, NAME.json, NAME.scenario.json)")
	}
	return dir
}

// goldenNames lists the reference journals of this package's formats.
func goldenNames(t *testing.T, dir string) []string {
	var names []string
	for _, pattern := range []string{"semj*.img", "stor*.img"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			names = append(names, strings.TrimSuffix(f, ".img"))
		}
	}
	if len(names) == 0 {
		t.Fatalf("VEXCTL_GOLDEN=%s holds no semj*.img and no stor*.img", dir)
	}
	return names
}

func TestGoldenDecode(t *testing.T) {
	for _, name := range goldenNames(t, goldenDir(t)) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			var want any
			loadJSON(t, name+".json", &want, false)
			got := normal(t, decodeLikeGolden(t, name+".img"))
			sortFindings(got)
			sortFindings(want)
			compareJSON(t, "", got, want)
		})
	}
}

func loadJSON(t *testing.T, path string, v any, strict bool) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// normal passes v through JSON, so that it compares with what was loaded.
func normal(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out any
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func sortFindings(v any) {
	list, _ := v.(map[string]any)["findings"].([]any)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

func compareJSON(t *testing.T, path string, got, want any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: got %v, want an object", path, got)
			return
		}
		for k := range w {
			compareJSON(t, path+"."+k, g[k], w[k])
		}
		for k := range g {
			if _, ok := w[k]; !ok {
				t.Errorf("%s.%s: %v is not expected", path, k, g[k])
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			t.Errorf("%s: got %v, want %v", path, got, want)
			return
		}
		for i := range w {
			compareJSON(t, fmt.Sprintf("%s[%d]", path, i), g[i], w[i])
		}
	default:
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

// decodeLikeGolden reads a journal and puts it in the reference's words.
func decodeLikeGolden(t *testing.T, path string) map[string]any {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ft := Format
	if strings.HasPrefix(filepath.Base(path), "stor") {
		ft = Stor
	}
	r := readBytes(t, ft, b)
	out := map[string]any{"format": ft.Name}
	events, blocks := []any{}, []any{}
	for _, rec := range r.records {
		switch rec.Kind {
		case format.Superblock:
			out["header"] = object(rec.Fields)
		case format.Storage:
			m := object(rec.Fields)
			delete(m, "entries")
			blocks = append(blocks, m)
		case format.Event:
			m := object(rec.Fields)
			m["offset"], m["name"] = rec.Offset, goldenName(rec.Event.Type)
			m["checksum_ok"] = rec.Sum == format.SumOK
			events = append(events, m)
		}
	}
	out["events"] = events
	if ft == Stor {
		out["blocks"] = blocks
	}
	out["findings"] = findings(ft, r)
	return out
}

// findings lists the faults with the keys that the reference has.
func findings(ft *format.Format, r *reading) []any {
	out := []any{}
	for _, f := range r.faults() {
		m := map[string]any{"code": f.Code, "severity": severity(ft, f.Code), "offset": f.Offset}
		for k, v := range object(f.Fields) {
			m[k] = v
		}
		out = append(out, m)
	}
	return out
}

func severity(ft *format.Format, code string) string {
	for _, r := range ft.Rules {
		if r.Code == code {
			return r.Severity.String()
		}
	}
	return "no rule"
}

// object turns fields into what JSON would show, sums as numbers.
func object(f format.Fields) map[string]any {
	m := map[string]any{}
	for _, x := range f {
		switch x.Type {
		case format.TypeText:
			m[x.Name] = x.S
		case format.TypeHash:
			m[x.Name] = hex.EncodeToString([]byte(x.S))
		case format.TypeInt:
			m[x.Name] = int64(x.U)
		case format.TypeNested:
			m[x.Name] = object(x.Sub)
		case format.TypeObjects:
			list := []any{}
			for _, s := range x.List {
				list = append(list, object(s))
			}
			m[x.Name] = list
		default:
			m[x.Name] = x.U
		}
	}
	return m
}

// goldenName is the reference's name of a type: some members have a longer one
// there, and words are joined by underscores.
func goldenName(t event.Type) string {
	longer := map[string]string{
		"semantic.tx-begin": "semantic.transaction_begin", "semantic.tx-end": "semantic.transaction_end",
		"semantic.link": "semantic.semantic_link", "obs.metric": "observability.metric_collected",
		"obs.log": "observability.log_generated", "obs.span-start": "observability.trace_span_start",
		"obs.span-end": "observability.trace_span_end", "obs.alert": "observability.alert_triggered",
		"obs.health": "observability.health_check", "obs.counter": "observability.performance_counter",
		"obs.error": "observability.error_reported", "obs.audit": "observability.audit_event",
		"obs.status": "observability.system_status", "obs.resource": "observability.resource_usage",
	}
	if s, ok := longer[t.String()]; ok {
		return s
	}
	s := strings.ReplaceAll(t.String(), "-", "_")
	if rest, ok := strings.CutPrefix(s, "fs."); ok {
		return "filesystem." + rest
	}
	if rest, ok := strings.CutPrefix(s, "obs."); ok {
		return "observability." + rest
	}
	return s
}

// scenario is what the reference writer was fed.
type scenario struct {
	Format  string
	Seed    int
	Index   bool
	Events  []scenarioEvent
	Corrupt []struct {
		Kind             string
		Event, Byte, Bit int
	}
}

type scenarioEvent struct {
	Type     uint32
	Flags    uint32
	KTime    int64
	CPU, PID uint32
	Parent   uint64
	Compact  bool
	Payload  bytesOrHex
	Metadata bytesOrHex
	Context  map[string]any
	Links    []struct {
		Cause, Effect  uint64
		Type, Strength uint32
		Delay          int64
		Text           string
	}
}

// bytesOrHex is a text, or {"hex": "..."}.
type bytesOrHex []byte

func (x *bytesOrHex) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*x = []byte(s)
		return nil
	}
	var h struct{ Hex string }
	if err := json.Unmarshal(b, &h); err != nil {
		return err
	}
	v, err := hex.DecodeString(h.Hex)
	*x = v
	return err
}

func (s *scenarioEvent) event(t *testing.T, i int) *Event {
	e := kernelEvent(i)
	e.Type, e.Flags, e.KTime, e.CPU, e.PID, e.Parent = s.Type, s.Flags, s.KTime, s.CPU, s.PID, s.Parent
	e.Payload, e.Metadata = s.Payload, s.Metadata
	for _, l := range s.Links {
		e.Links = append(e.Links, Link{l.Cause, l.Effect, l.Type, l.Strength, l.Delay, Text(l.Text)})
	}
	if !s.Compact {
		e.Context = &Context{}
		fillContext(t, e.Context, s.Context)
	}
	return e
}

// fillContext sets members by their names.
func fillContext(t *testing.T, c *Context, members map[string]any) {
	known := 0
	for _, p := range c.places() {
		v, ok := members[p.name]
		if !ok {
			continue
		}
		known++
		if p.text != nil {
			*p.text = Text(v.(string))
			continue
		}
		n, err := v.(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		if p.u64 != nil {
			*p.u64 = uint64(n)
		} else {
			*p.u32 = uint32(n)
		}
	}
	if known != len(members) {
		t.Fatalf("the scenario's context has a member that no context has: %v", members)
	}
}

func TestGoldenWrite(t *testing.T) {
	for _, name := range goldenNames(t, goldenDir(t)) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			var s scenario
			loadJSON(t, name+".scenario.json", &s, true)
			want, err := os.ReadFile(name + ".img")
			if err != nil {
				t.Fatal(err)
			}
			got := s.write(t)
			if i := firstDifference(got, want); i >= 0 {
				t.Errorf("%d bytes written, %d expected, first difference at %d", len(got), len(want), i)
			}
		})
	}
}

func firstDifference(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// write builds the journal of the scenario and damages it as told.
func (s *scenario) write(t *testing.T) []byte {
	var events []*Event
	for i := range s.Events {
		events = append(events, s.Events[i].event(t, i))
	}
	ft, b := Format, []byte(nil)
	switch s.Format {
	case "semj":
		b = buildFile(t, events, s.Index)
	case "stor":
		ft, b = Stor, buildBlocks(t, events)
	default:
		t.Fatalf("unknown format %q", s.Format)
	}
	whole := readBytes(t, ft, b).events()
	for _, c := range s.Corrupt {
		switch c.Kind {
		case "bitflip":
			b[whole[c.Event].Offset+int64(c.Byte)] ^= 1 << c.Bit
		default:
			t.Fatalf("this test knows no corruption of kind %q", c.Kind)
		}
	}
	return b
}
