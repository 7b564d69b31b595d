package render

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vexfs/vexctl/internal/event"
	"github.com/vexfs/vexctl/internal/format"
)

// anyText makes a text of hostile bytes, seeded.
func anyText(r *rand.Rand) string {
	pieces := []string{"a", "é", "漢", "\x00", "\x1b[31m", "\n", "\"", "\\", "\xff", "\u202e", "\u2028", "😀", "\xed\xa0\x80", "\x7f"}
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func anyRecord(r *rand.Rand) *format.Record {
	x := &format.Record{Offset: r.Int64(), JournalOffset: r.Int64(), Length: r.Int64(), Kind: format.Kinds()[r.IntN(len(format.Kinds()))], Zone: format.Zone(r.IntN(6)), Sum: format.Sum(r.IntN(4))}
	x.SetSeq(r.Uint64())
	x.SetTid(r.Uint64())
	x.SetTime(r.Int64())
	x.Block, x.HasBlock = r.Uint64(), true
	x.Fields.Uint("u", 0, 0, r.Uint64())
	x.Fields.Int("i", 0, 0, -r.Int64())
	x.Fields.Bool("b", 0, 0, r.IntN(2) == 0)
	x.Fields.Hex("h", 0, 4, uint64(r.Uint32()))
	x.Fields.Str("s", 0, 0, anyText(r))
	x.Fields.Hash("raw", 0, []byte(anyText(r)))
	x.Fields.Texts("list", []string{anyText(r), anyText(r)})
	x.Fields.Uints("numbers", 0, 0, []uint64{r.Uint64()})
	x.Fields.Time("t", 0, 0, r.Int64())
	var sub format.Fields
	sub.Str("inner", 0, 0, anyText(r))
	x.Fields.Nested("sub", 0, 0, sub)
	x.Fields.Objects("objects", 0, 0, []format.Fields{sub, nil})
	x.Event = &event.Event{ID: r.Uint64(), Type: event.Type(r.Uint32()), Path: anyText(r), Payload: []byte(anyText(r)), Links: []event.Link{{Description: anyText(r)}}}
	f := x.Fault("code", anyText(r))
	f.Sums(r.Uint64(), r.Uint64(), 4)
	f.FlipOffset, f.FlipBit = 7, 3
	return x
}

func TestEveryRecordIsValidJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		x := anyRecord(r)
		line := Record(nil, x)
		if !utf8.Valid(line) || strings.ContainsAny(string(line), "\n\x00\x1b") {
			t.Fatalf("raw control bytes or no UTF-8 in %q", line)
		}
		var back map[string]any
		d := json.NewDecoder(strings.NewReader(string(line)))
		d.UseNumber()
		if err := d.Decode(&back); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		fields := back["fields"].(map[string]any)
		want := x.Fields.Text("s")
		got := fields["s"].(string)
		if raw, ok := fields["s_b64"]; ok {
			b, err := base64.StdEncoding.DecodeString(raw.(string))
			if err != nil {
				t.Fatal(err)
			}
			got = string(b)
		}
		if got != want {
			t.Fatalf("text %q came back as %q", want, got)
		}
		if back["kind"] != x.Kind.String() || fields["h"].(string) != string(Hex(nil, x.Fields.Num("h"), 8)) {
			t.Fatalf("lost something in %s", line)
		}
	}
}

func TestTimeIsRFC3339WithNanoseconds(t *testing.T) {
	for _, ns := range []int64{0, 1, 1700000000123456789, -1} {
		s := strings.Trim(string(Time(nil, ns)), `"`)
		back, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || back.UnixNano() != ns {
			t.Errorf("%d is written as %s, which reads as %v, %v", ns, s, back, err)
		}
	}
}

func TestPlainNeverControlsTheTerminal(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		in := anyText(r)
		out := Plain(in)
		for _, c := range out {
			if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == utf8.RuneError {
				t.Fatalf("%q became %q", in, out)
			}
		}
	}
	for in, want := range map[string]string{"plain name.txt": "plain name.txt", "é漢😀": "é漢😀", "a\x1b[31mb": `a\x1b[31mb`, "x\u202ey": `x\u202ey`, "\xff": `\xff`, "a\nb\\c": `a\nb\\c`} {
		if got := Plain(in); got != want {
			t.Errorf("Plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 8 << 20: "8.0 MiB", 1<<63 - 1: "8.0 EiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %s, want %s", n, got, want)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	x := &format.Record{Offset: 1 << 30, JournalOffset: 4096, Length: 4096, Kind: format.Data, Zone: format.Live, Sum: format.SumOK}
	x.SetSeq(41)
	x.SetTid(41)
	x.Block, x.HasBlock = 123456, true
	x.Fields.Uint("blocknr", 0, 0, 123456)
	x.Fields.Uint("flags", 0, 0, 2)
	x.Fields.Hex("checksum", 0, 4, 0xdeadbeef)
	x.Fields.Str("block_type", 0, 0, "directory")
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = Record(buf[:0], x)
	}
}
