package vexf

import "github.com/vexfs/vexctl/internal/format"

// Journal is an opened VEXF journal. It implements [format.Journal].
type Journal struct {
	src format.Source
	// at is where the superblock is, or -1.
	at int64
	// sb is nil when there is none, or less than one.
	sb *Superblock
	// code and why say what keeps the superblock from being used.
	code, why string
	// salvaged: the area is the whole source, cut into blocks of the size that
	// got that many votes.
	salvaged bool
	votes    int
	area     area
}

// Source is the whole source: a journal in a device image keeps the offsets of
// the image.
func (j *Journal) Source() format.Source { return j.src }

// Superblock returns the superblock, or nil when there is none to trust.
func (j *Journal) Superblock() *Superblock {
	if j.code != "" && j.code != CodeSbVersion {
		return nil
	}
	return j.sb
}

// superblockLength is how many bytes the superblock's record has: its block,
// or one sector where the block size is unknown.
func (j *Journal) superblockLength() int64 {
	if j.at < 0 {
		return 0
	}
	n := int64(MinBlockSize)
	if j.area.size > 0 && !j.salvaged {
		n = j.area.size
	}
	return min(n, j.src.Size()-j.at)
}

// superblockBytes reads the superblock as it is now, as far as it goes.
func (j *Journal) superblockBytes() []byte {
	if j.at < 0 {
		return nil
	}
	b := make([]byte, extSize)
	n, _ := j.src.ReadAt(b, j.at)
	return b[:max(n, 0)]
}
