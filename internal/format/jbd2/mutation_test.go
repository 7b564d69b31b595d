package jbd2

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/formattest"
	"github.com/vexfs/vexctl/internal/format/jbd2/jbd2test"
)

// mutations is how many damaged journals are tried.
const mutations = 4000

// Journals whose fields were replaced by others, and whose blocks by others,
// with all checksums right, keep the laws.
func TestMutations(t *testing.T) {
	samples := small(t)
	rng := rand.New(rand.NewPCG(1, 2))
	n := mutations
	if slow {
		n /= 10
	}
	for i := range n {
		s := samples[rng.IntN(len(samples))]
		b := bytes.Clone(s.Bytes)
		for range 1 + rng.IntN(4) {
			mutate(b, rng)
		}
		if rng.IntN(4) > 0 {
			jbd2test.Mend(b)
		}
		_, err := formattest.Check(Format, format.NewBytes(s.Name, b), format.Options{Salvage: rng.IntN(2) == 0})
		var broken *formattest.Broken
		if errors.As(err, &broken) {
			t.Fatalf("mutation %d of %s: %v", i, s.Name, err)
		}
	}
}

// mutate changes something that matters: a word of a header, a tag or the
// superblock, or the order of blocks.
func mutate(b []byte, rng *rand.Rand) {
	const bs = 1024
	block := func() []byte { return b[rng.IntN(min(len(b)/bs, 24))*bs:][:bs] }
	values := []uint32{0, 1, 2, 5, 7, 8, 40, 47, 48, 49, 1023, 1024, 1 << 20, 1 << 31, 1<<32 - 1, magic}
	switch rng.IntN(5) {
	case 0: // of the superblock
		be.PutUint32(b[0x0C+4*rng.IntN(19):], values[rng.IntN(len(values))])
	case 1: // of a header, or the first tags
		be.PutUint32(block()[4*rng.IntN(24):], values[rng.IntN(len(values))])
	case 2:
		block()[rng.IntN(64)] ^= 1 << rng.IntN(8)
	case 3:
		copy(block(), block())
	case 4:
		clear(block())
	}
}
