package jbd2

import (
	"testing"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/formattest"
	"github.com/vexfs/vexctl/internal/format/jbd2/jbd2test"
)

// Every dialect keeps the laws, cut off and flipped at some bytes.
func TestConformance(t *testing.T) {
	for name, j := range dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			im := j.Build()
			s := formattest.Sample{Name: name, Bytes: im.Bytes, Used: used(im)}
			n := 0
			for _, r := range s.Used {
				n += r[1] - r[0]
			}
			s.Cuts, s.Flips = n/40|1, n/30|1
			if slow {
				s.Cuts, s.Flips = n/4|1, n/4|1
			}
			formattest.Run(t, Format, []formattest.Sample{s})
		})
	}
}

// With checksums of version 3, no bit of a live block or of the superblock can
// flip unnoticed; without any, none can do harm to the scan. The journals are
// too short for a kernel, so that every bit gets its turn in reasonable time.
func TestEveryBit(t *testing.T) {
	for name, j := range map[string]jbd2test.Journal{
		"v3":         {Log: brief(), Seq: 7, Sums: jbd2test.V3},
		"v3-64-wrap": {Log: brief(), Seq: 7, Sums: jbd2test.V3, Bits64: true, At: 7},
		"compat":     {Log: brief(), Seq: 7, Sums: jbd2test.Compat},
		"none":       {Log: brief(), Seq: 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j.Blocks = 11
			im := j.Build()
			s := formattest.Sample{Name: name, Bytes: im.Bytes, Faults: []string{CodeSuperGeometry}, Cuts: 13}
			switch name {
			case "none":
			case "v3":
				s.Guarded = guarded(im)
			default: // every fifth byte
				s.Flips = 5
				if all := guarded(im); j.Sums == jbd2test.V3 {
					s.Guarded = func(off int) bool { return off%5 == 0 && all(off) }
				}
			}
			if slow {
				s.Guarded, s.Flips, s.Cuts = nil, 257, 257
			}
			formattest.Run(t, Format, []formattest.Sample{s})
		})
	}
}

// A fuzzer with a mender gets behind the checksums. Its inputs are large, so it
// finds more with -fuzzminimizetime=1x.
func FuzzDecode(f *testing.F) {
	formattest.Fuzz(f, Format, small(f), jbd2test.Mend)
}

// The mender changes nothing in a journal whose checksums are right, and makes
// them right again in one whose contents were changed.
func TestMender(t *testing.T) {
	for name, j := range dialects() {
		t.Run(name, func(t *testing.T) {
			im := j.Build()
			before := string(im.Bytes)
			jbd2test.Mend(im.Bytes)
			if string(im.Bytes) != before {
				t.Fatal("changed an intact journal")
			}
			for _, p := range im.Live() {
				for _, d := range p.Data {
					im.Flip(im.Off(d.Block)+500, 3)
				}
				if len(p.Descriptors) > 0 {
					im.Flip(im.Off(p.Descriptors[0])+15, 0)
				}
			}
			jbd2test.Mend(im.Bytes)
			codes, err := formattest.Check(Format, format.NewBytes(name, im.Bytes), format.Options{})
			if err != nil || len(codes) > 0 {
				t.Errorf("after mending: %v, %v", codes, err)
			}
		})
	}
}
