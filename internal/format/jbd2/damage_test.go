package jbd2

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/verify"
)

// atlas says where the parts of a real log lie in the file that holds it.
type atlas struct {
	super                                 int64
	descriptors, data, revokes, commits   []int64
	lastDescriptor, lastData, lastCommits []int64 // of the last transaction
	lastFirst, end                        int64
}

func (d *disk) atlas(t *testing.T) *atlas {
	t.Helper()
	j := d.open(t)
	in, err := j.Describe(context.Background())
	must(t, err)
	a := &atlas{super: j.place(j.geo.superBlock), lastFirst: -1}
	for r, err := range j.Scan(context.Background(), format.Scan{LiveOnly: true}) {
		must(t, err)
		last := r.HasTid && r.Tid == in.LastSeq
		if last && a.lastFirst < 0 {
			a.lastFirst = r.Offset
		}
		at := map[format.Kind][2]*[]int64{format.Descriptor: {&a.descriptors, &a.lastDescriptor}, format.Data: {&a.data, &a.lastData},
			format.Commit: {&a.commits, &a.lastCommits}, format.Revoke: {&a.revokes, &a.revokes}}[r.Kind]
		switch {
		case at[0] == nil:
		case last:
			*at[1] = append(*at[1], r.Offset)
		default:
			*at[0] = append(*at[0], r.Offset)
		}
	}
	return a
}

// Whatever bit of a log flips: when the kernel refuses the journal for it, it
// is not called sound. The variants are the same every time.
func TestKernelRefusals(t *testing.T) {
	needLab(t)
	for _, name := range []string{"csum-v3", "csum-v3-32bit", "compat", "compat-async", "revokes", "none", "external", "wrapped", "version-1", "data"} {
		c := realCases[slices.IndexFunc(realCases, func(c realCase) bool { return c.name == name })]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := c.build(t)
			rng := rand.New(rand.NewPCG(1, uint64(len(name))))
			refused, seen, all := 0, 0, damages(d.atlas(t), d.bs, rng)
			for what, damage := range all {
				v := d.copy(t)
				damage(t, v)
				r, s := v.judge(t, what)
				refused += r
				seen += s
			}
			t.Logf("%d variants, the kernel refuses %d, %d show", len(all), refused, seen)
			if refused == 0 && strings.HasPrefix(name, "csum") {
				t.Error("the kernel accepts everything: this proves nothing")
			}
		})
	}
}

// damages are ways to hurt a log.
func damages(a *atlas, bs int, rng *rand.Rand) map[string]func(t *testing.T, d *disk) {
	out := map[string]func(*testing.T, *disk){}
	flip := func(what string, blocks []int64, from, to int) {
		if len(blocks) == 0 {
			return
		}
		at, bit := blocks[rng.IntN(len(blocks))]+int64(from+rng.IntN(to-from)), rng.IntN(8)
		out[fmt.Sprintf("%s, bit %d of byte %d flipped", what, bit, at)] = func(t *testing.T, d *disk) { d.flip(t, at, bit) }
	}
	for range 3 {
		flip("descriptor", a.descriptors, 0, bs)
		flip("tags", a.descriptors, 12, 60)
		flip("header", slices.Concat(a.descriptors, a.revokes, a.commits), 0, 12)
		flip("data", a.data, 0, bs)
		flip("commit", a.commits, 0, bs)
		flip("commit's fields", a.commits, 12, 60)
		flip("revoke", a.revokes, 0, bs)
		flip("last descriptor", a.lastDescriptor, 0, bs)
		flip("last data", a.lastData, 0, bs)
		flip("last commit", a.lastCommits, 0, 60)
		flip("superblock", []int64{a.super}, 0, 1024)
		flip("superblock's fields", []int64{a.super}, 0, 0x60)
	}
	zero := func(what string, blocks []int64, n int) {
		if len(blocks) > 0 {
			at := blocks[rng.IntN(len(blocks))]
			out[fmt.Sprintf("%s at %d zeroed", what, at)] = func(t *testing.T, d *disk) { d.overwrite(t, at, make([]byte, n)) }
		}
	}
	zero("last commit", a.lastCommits, bs)
	zero("first sector of the last commit", a.lastCommits, 512)
	zero("last data", a.lastData, bs)
	zero("last descriptor", a.lastDescriptor, bs)
	zero("first block of the last transaction", []int64{a.lastFirst}, bs)
	zero("descriptor", a.descriptors, bs)
	zero("half a descriptor", a.descriptors, bs/2)
	zero("commit", a.commits, bs)
	zero("data", a.data, bs)
	return out
}

// judge fails when the kernel refuses the disk and verify does not. It returns
// 1 and 1 when the kernel refuses and when verify sees something.
func (d *disk) judge(t *testing.T, what string) (refused, seen int) {
	t.Helper()
	r, err := d.verify(t)
	if err != nil || slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return !isNote(f) }) {
		seen = 1
	}
	m, refusal := d.copy(t).tryMount(t, "ro")
	if refusal == nil {
		m.unmount()
		return 0, seen
	}
	if err == nil && r.OK {
		t.Errorf("%s: found %s, but the kernel says: %v", what, list(r.Findings), refusal)
	}
	return 1, seen
}
