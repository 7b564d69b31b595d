package jbd2

import (
	"testing"

	"github.com/vexfs/vexctl/internal/format/formattest"
	"github.com/vexfs/vexctl/internal/format/jbd2/jbd2test"
)

// escaped is a block that begins with the journal's magic.
func escaped(text string) []byte {
	return append([]byte{0xC0, 0x3B, 0x39, 0x98}, text...)
}

// brief is a short log with a bit of everything: two transactions, a revoke
// of a block of the first in the second, and an escaped block.
func brief() []jbd2test.Txn {
	return []jbd2test.Txn{
		{Blocks: []jbd2test.Block{{Home: 100}, {Home: 101, Data: escaped("in a file")}}},
		{Blocks: jbd2test.Homes(102, 1), Revokes: []uint64{100}},
	}
}

// history is a longer one: descriptors that are full, several of them in one
// transaction, and UUIDs behind all tags.
func history() []jbd2test.Txn {
	return append(brief(),
		jbd2test.Txn{Blocks: jbd2test.Homes(200, 7), PerDescriptor: 3},
		jbd2test.Txn{Blocks: jbd2test.Homes(300, 4), UUIDs: true},
		jbd2test.Txn{Revokes: []uint64{200, 201, 1 << 31}},
		jbd2test.Txn{Blocks: jbd2test.Homes(200, 2)},
	)
}

// dialects are journals in each of the ways that there are to write one.
func dialects() map[string]jbd2test.Journal {
	return map[string]jbd2test.Journal{
		"none-32":      {Log: history(), Seq: 7},
		"none-64":      {Log: history(), Seq: 7, Bits64: true},
		"compat-32":    {Log: history(), Seq: 7, Sums: jbd2test.Compat},
		"compat-async": {Log: history(), Seq: 7, Sums: jbd2test.Compat, Bits64: true, Async: true},
		"v2-32":        {Log: history(), Seq: 7, Sums: jbd2test.V2},
		"v2-64":        {Log: history(), Seq: 7, Sums: jbd2test.V2, Bits64: true},
		"v3-32":        {Log: history(), Seq: 7, Sums: jbd2test.V3},
		"v3-64":        {Log: history(), Seq: 7, Sums: jbd2test.V3, Bits64: true},
		"v3-4k":        {Log: history(), Seq: 7, Sums: jbd2test.V3, Bits64: true, BlockSize: 4096},
		"v1-super":     {Log: []jbd2test.Txn{{Blocks: jbd2test.Homes(9, 3)}, {Blocks: jbd2test.Homes(9, 1)}}, Seq: 7, V1: true},
		"async":        {Log: history(), Seq: 7, Sums: jbd2test.V3, Async: true},
		"tid-wrap":     {Log: history(), Seq: 0xFFFFFFFE, Sums: jbd2test.V3},
		"ring-wrap":    {Log: history(), Seq: 7, Sums: jbd2test.V3, At: 1010},
		"second-lap":   {Log: laps(), Seq: 7, Sums: jbd2test.V3, Tail: 100},
		"clean":        {Log: history(), Seq: 7, Sums: jbd2test.V3, Clean: true},
		"empty":        {Sums: jbd2test.V3},
		"external":     {Log: history(), Seq: 7, Sums: jbd2test.V3, External: true},
		"external-4k":  {Log: history(), Seq: 7, BlockSize: 4096, External: true},
		"fast":         {Log: history(), Seq: 7, Sums: jbd2test.V3, FastBlocks: 16, Fast: fastCommitsOf(3)},
	}
}

// laps is a history that is longer than the ring.
func laps() []jbd2test.Txn {
	out := make([]jbd2test.Txn, 110)
	for i := range out {
		out[i].Blocks = jbd2test.Homes(uint64(i), 12)
	}
	return out
}

// fastCommitsOf is n fast commits that between them have all units.
func fastCommitsOf(n int) []jbd2test.FastCommit {
	all := [][]jbd2test.Unit{
		{jbd2test.Creat(2, 12, "name"), jbd2test.Inode(12, 0o100644, 5), jbd2test.AddRange(12, 0, 3, 1<<32+777)},
		{jbd2test.Link(2, 12, "other"), jbd2test.Unlink(2, 12, "name"), jbd2test.DelRange(12, 1, 2), jbd2test.Pad(20)},
		{jbd2test.Inode(12, 0o100600, 6), jbd2test.Inode(13, 0o100600, 6), jbd2test.Inode(14, 0o100600, 6),
			jbd2test.Inode(15, 0o100600, 6), jbd2test.Inode(16, 0o100600, 6), jbd2test.Inode(17, 0o100600, 6)},
	}
	out := make([]jbd2test.FastCommit, n)
	for i := range out {
		out[i].Units = all[i%len(all)]
	}
	return out
}

// used lists the ranges of an image's bytes that are not zero, in whole blocks.
func used(im *jbd2test.Image) (out [][2]int) {
	for n := range im.Blocks {
		from, zero := int(im.Off(n)), true
		for _, x := range im.Block(n) {
			zero = zero && x == 0
		}
		switch last := len(out) - 1; {
		case zero:
		case last >= 0 && out[last][1] == from:
			out[last][1] += im.BlockSize
		default:
			out = append(out, [2]int{from, from + im.BlockSize})
		}
	}
	return out
}

// guarded says which bytes a checksum of version 3 covers: all of a live
// block's and all of the superblock's. A superblock that is no longer one is
// nobody's journal, which the suite takes for noticed.
func guarded(im *jbd2test.Image) func(off int) bool {
	live := map[int]bool{int(im.SuperBlock): true}
	for _, p := range im.Live() {
		for _, n := range p.All() {
			live[int(n)] = true
		}
	}
	return func(off int) bool {
		n, at := off/im.BlockSize, off%im.BlockSize
		return live[n] && (n != int(im.SuperBlock) || at < 1024)
	}
}

// small are journals of a few blocks, which a kernel would refuse for that:
// cheap seeds for a fuzzer.
func small(t testing.TB) (out []formattest.Sample) {
	t.Helper()
	for name, j := range dialects() {
		if j.FastBlocks > 0 || len(j.Log) > 10 {
			continue
		}
		j.Blocks = 48
		if j.At != 0 {
			j.At = 40
		}
		out = append(out, formattest.Sample{Name: name, Bytes: j.Build().Bytes, Faults: []string{CodeSuperGeometry}})
	}
	return out
}
