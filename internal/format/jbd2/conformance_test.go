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
			formattest.Run(t, Format, []formattest.Sample{{Name: name, Bytes: im.Bytes, Used: used(im), Cuts: 509, Flips: 127}})
		})
	}
}

// With checksums of version 3, no bit of a live block or of the superblock can
// flip unnoticed, and without any checksums none can do harm to the scan.
func TestEveryBit(t *testing.T) {
	for name, j := range map[string]jbd2test.Journal{
		"v3":        {Log: brief(), Seq: 7, Sums: jbd2test.V3},
		"v3-64-end": {Log: brief(), Seq: 7, Sums: jbd2test.V3, Bits64: true, At: 1020},
		"none":      {Log: brief(), Seq: 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			im := j.Build()
			s := formattest.Sample{Name: name, Bytes: im.Bytes, Used: used(im), Cuts: 61}
			switch name {
			case "v3":
				s.Guarded = guarded(im)
			case "v3-64-end":
				s.Guarded, s.Flips = guarded(im), 1<<30
			}
			formattest.Run(t, Format, []formattest.Sample{s})
		})
	}
}

// A fuzzer with a mender gets behind the checksums.
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
