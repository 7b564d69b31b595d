package vexf

import (
	"context"

	"github.com/vexfs/vexctl/internal/format"
)

// Bounds of a search, in bytes from the start of the source: a superblock is
// expected early, and only a salvage looks for one, or for blocks, far in.
const (
	findLimit    = 16 << 20
	salvageLimit = 1 << 30
	searchStep   = 512
	searchBuffer = 256 << 10
)

// find is Format.Find. A superblock is looked for at multiples of 512 bytes.
// With one that can't be used, or in a salvage without any, the journal is
// what the blocks make of it.
func find(ctx context.Context, src format.Source, opt format.Options) (format.Journal, error) {
	j, err := findSuperblock(ctx, src, findLimit)
	if err != nil {
		return nil, err
	}
	if j == nil && opt.Salvage {
		if j, err = findSuperblock(ctx, src, salvageLimit); err != nil {
			return nil, err
		}
	}
	switch {
	case j == nil && !opt.Salvage:
		return nil, format.Unknown(src, "has no VEXF superblock")
	case j == nil:
		return findBlocks(ctx, src)
	case j.code == CodeSbGeometry || j.code == CodeSbTruncated:
		err = j.salvage(ctx)
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// findBlocks is the salvage of a journal without any superblock. Two sound
// blocks are asked for: one may be chance, or a copy inside something else.
func findBlocks(ctx context.Context, src format.Source) (format.Journal, error) {
	j := &Journal{src: src, at: -1, code: CodeSbMagic, why: "there is no superblock; the log is put together from its blocks alone"}
	if err := j.salvage(ctx); err != nil {
		return nil, err
	}
	if j.votes < 2 {
		return nil, format.Unknown(src, "has no VEXF superblock and no VEXF blocks")
	}
	return j, nil
}

// findSuperblock returns a journal for the first superblock that can be used,
// else for the first that can't, else nil.
func findSuperblock(ctx context.Context, src format.Source, limit int64) (*Journal, error) {
	var fallback *Journal
	for off, err := range candidates(ctx, src, limit, isSuperblock) {
		if err != nil {
			return nil, err
		}
		j := open(src, off)
		if j.code == "" {
			return j, nil
		}
		if fallback == nil {
			fallback = j
		}
	}
	return fallback, nil
}

// open reads the superblock at an offset and says how far it can be used.
func open(src format.Source, off int64) *Journal {
	j := &Journal{src: src, at: off}
	b, _ := window(src, extSize).At(off, extSize)
	if len(b) < sbSize {
		j.code, j.why = CodeSbTruncated, "the file ends inside the superblock"
		return j
	}
	var f format.Fields
	j.sb = readSuperblock(b, &f)
	if j.code, j.why = j.sb.unusable(); j.code == "" {
		j.area = ringArea(src, off, j.sb)
	}
	return j
}
