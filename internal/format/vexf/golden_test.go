package vexf

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// scenario is what went into a golden image.
type scenario struct {
	Format      string
	StartBlock  uint64 `json:"start_block"`
	TotalBlocks uint64 `json:"total_blocks"`
	BlockSize   uint32 `json:"block_size"`
	Fill        byte
	Time        uint64
	UID, GID    uint32
	Mode        Mode
	Ops         []scenarioOp
	Corrupt     []corruption
}

type scenarioOp struct {
	Op      string
	Type    uint32
	Blocks  []uint64
	Data    [][2]uint64
	End     string
	Seconds uint64
}

type corruption struct {
	Kind, Field string
	Txn         uint64
	Bytes       int
}

// TestGolden decodes images that an independent writer made, and makes them
// again. They are not part of this repository.
func TestGolden(t *testing.T) {
	dir := os.Getenv("VEXCTL_GOLDEN")
	if dir == "" {
		t.Skip("VEXCTL_GOLDEN is not set: the golden images of the reference writer were NOT checked")
	}
	names, err := filepath.Glob(filepath.Join(dir, "v*.scenario.json"))
	must(t, err)
	if len(names) == 0 {
		t.Fatalf("no golden images in %s", dir)
	}
	for _, path := range names {
		base := strings.TrimSuffix(path, ".scenario.json")
		t.Run(filepath.Base(base), func(t *testing.T) { golden(t, base) })
	}
}

func golden(t *testing.T, base string) {
	img, err := os.ReadFile(base + ".img")
	must(t, err)
	var sc scenario
	var expected any
	load(t, base+".scenario.json", &sc)
	load(t, base+".json", &expected)

	if got, ok := sc.write(t); ok && !bytes.Equal(got, img) {
		t.Errorf("the image written differs %s", firstDifference(got, img, int(sc.BlockSize)))
	}
	j, err := Format.Find(context.Background(), format.NewBytes("golden", img), format.Options{Salvage: true})
	must(t, err)
	log, err := j.(*Journal).Log(context.Background())
	must(t, err)
	got := reread(t, goldenJSON(log))
	compare(t, "", got, expected)
}

func load(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	must(t, json.Unmarshal(b, v))
}

func reread(t *testing.T, v any) (out any) {
	b, err := json.Marshal(v)
	must(t, err)
	must(t, json.Unmarshal(b, &out))
	return out
}

func firstDifference(a, b []byte, size int) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("first at byte %d of block %d: %#x, want %#x", i%size, i/size, a[i], b[i])
		}
	}
	return fmt.Sprintf("in size: %d and %d bytes", len(a), len(b))
}

// compare reports every difference between two JSON values by its path.
func compare(t *testing.T, path string, got, want any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		for k := range w {
			compare(t, path+"."+k, g[k], w[k])
		}
		for k := range g {
			if _, ok := w[k]; !ok {
				t.Errorf("%s.%s is %v, and should not be there", path, k, g[k])
			}
		}
	case []any:
		g, _ := got.([]any)
		if len(g) != len(w) {
			t.Errorf("%s has %d elements, want %d", path, len(g), len(w))
			return
		}
		for i := range w {
			compare(t, fmt.Sprintf("%s[%d]", path, i), g[i], w[i])
		}
	default:
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

// write makes the scenario's image, and reports whether it could.
func (sc *scenario) write(t *testing.T) ([]byte, bool) {
	g := Geometry{StartBlock: sc.StartBlock, TotalBlocks: sc.TotalBlocks, BlockSize: sc.BlockSize,
		UID: sc.UID, GID: sc.GID, Mode: sc.Mode}
	d := newDevice(g, sc.Fill)
	clock := sc.Time
	w, err := NewWriter(d, g, func() uint64 { return clock })
	must(t, err)
	r := &rewriter{t: t, sc: sc, d: d, g: g, w: w, clock: &clock}
	for _, op := range sc.Ops {
		r.do(op)
	}
	for _, c := range sc.Corrupt {
		r.corrupt(c)
	}
	return d, !r.unknown
}

// rewriter feeds a scenario to a Writer.
type rewriter struct {
	t     *testing.T
	sc    *scenario
	d     device
	g     Geometry
	w     *Writer
	clock *uint64
	torn  func() // puts the bytes back that a torn write left alone
	// unknown: a corruption was met that this test can't repeat.
	unknown bool
}

func (r *rewriter) do(op scenarioOp) {
	r.t.Helper()
	switch op.Op {
	case "create":
		must(r.t, r.w.Create())
	case "tick":
		*r.clock += op.Seconds
	case "superblock":
		must(r.t, r.w.WriteSuperblock())
	case "force":
		must(r.t, r.w.Force())
	case "checkpoint":
		must(r.t, r.w.Checkpoint())
	case "barrier":
		must(r.t, r.w.Barrier(op.Type))
	case "revoke":
		must(r.t, r.w.Revoke(op.Blocks))
	case "txn":
		r.txn(op)
	default:
		r.t.Fatalf("unknown operation %q", op.Op)
	}
}

func (r *rewriter) txn(op scenarioOp) {
	txn := r.w.Begin(op.Type)
	txn.AddBlock(op.Blocks...)
	for _, d := range op.Data {
		txn.AddData(d[0], digests(fmt.Sprint(d[1]), int(r.g.BlockSize)))
	}
	switch op.End {
	case "abort":
		must(r.t, txn.Abort())
	case "", "commit":
		before := bytes.Clone(r.d)
		must(r.t, txn.Commit())
		r.tear(txn.ID(), before)
	default:
		r.t.Fatalf("unknown end %q of a transaction", op.End)
	}
}

// tear notes how to cut the commit of a transaction short, which leaves what
// the ring held before behind the bytes that arrived.
func (r *rewriter) tear(id uint64, before []byte) {
	for _, c := range r.sc.Corrupt {
		if c.Kind != "torn-commit" || c.Txn != id {
			continue
		}
		block := r.w.BlockOf(r.w.Sequence() - 1)
		r.torn = func() {
			copy(r.d.block(r.g, block)[c.Bytes:], device(before).block(r.g, block)[c.Bytes:])
		}
	}
}

func (r *rewriter) corrupt(c corruption) {
	switch {
	case c.Kind == "torn-commit" && r.torn != nil:
		r.torn()
	case c.Kind == "bad-superblock" && c.Field == "magic":
		copy(r.d.block(r.g, r.g.StartBlock)[sbMagic:], "2DBJ")
	default:
		r.t.Logf("unknown corruption %+v: the image is decoded and not rewritten", c)
		r.unknown = true
	}
}
