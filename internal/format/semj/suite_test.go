package semj

import (
	"testing"

	"github.com/vexfs/vexctl/internal/format/formattest"
)

// wholeContext is a journal of three events with contexts, which is large.
func wholeContext() []*Event {
	events := compact(3)
	for i, e := range events {
		e.Context = &Context{Transaction: uint64(i), Session: 4242, Path: "/a/b.txt", Inode: 7, Tags: `{"a":1}`, IntentConfidence: 95}
		e.Metadata = []byte(`{"m":1}`)
	}
	return events
}

func fileSamples(t testing.TB) []formattest.Sample {
	small := buildFile(t, compact(4), true)
	index := int(DecodeHeader(small).IndexOffset)
	return []formattest.Sample{
		{Name: "empty", Bytes: buildFile(t, nil, false), Guarded: everything},
		{Name: "compact", Bytes: buildFile(t, compact(4), false), Guarded: everything},
		// The flags of an index entry have no meaning and no check.
		{Name: "indexed", Bytes: small, Guarded: func(off int) bool {
			return off < index || (off-index)%IndexEntrySize < idxFlags
		}},
		{Name: "context", Bytes: buildFile(t, wholeContext(), true), Cuts: 97, Flips: 61},
	}
}

func everything(int) bool { return true }

// sampled guards what a block of a few events uses, and some of the rest.
func sampled(off int) bool {
	return off < entryAt(3) || off >= blkData && off < blkData+300 || off%61 == 0
}

func blockSamples(t testing.TB) []formattest.Sample {
	return []formattest.Sample{
		{Name: "empty", Bytes: buildBlocks(t, nil), Guarded: sampled, Cuts: 23, Flips: 61},
		{Name: "one", Bytes: buildBlocks(t, compact(5)), Guarded: sampled, Cuts: 11, Flips: 61},
		{Name: "two", Bytes: buildBlocks(t, compact(20)), Cuts: 31, Flips: 37},
		{Name: "zlib", Bytes: packedBlock(t, CompressZlib), Cuts: 17, Flips: 31},
		{Name: "lz4", Bytes: packedBlock(t, CompressLZ4), Cuts: 17, Flips: 31},
	}
}

func TestFileConformance(t *testing.T)   { formattest.Run(t, Format, fileSamples(t)) }
func TestBlocksConformance(t *testing.T) { formattest.Run(t, Stor, blockSamples(t)) }

// mendFile makes the sums of a SEMJ file right, as far as events can be found.
func mendFile(b []byte) {
	mendHeader(b)
	for at := HeaderSize; at+EventSize <= len(b); {
		size, why := measure(b[at:], int64(len(b)-at))
		if why != taken {
			at++
			continue
		}
		mendEvent(b[at:])
		at += size
	}
}

// mendBlocks makes the sums of STOR blocks and their events right.
func mendBlocks(b []byte) {
	for ; len(b) >= BlockSize; b = b[BlockSize:] {
		for _, h := range parseBlock(b[:BlockSize]).held {
			if !h.packed {
				mendEvent(b[h.at : h.at+h.n])
			}
		}
		mendBlock(b[:BlockSize])
	}
}

func FuzzFile(f *testing.F) { formattest.Fuzz(f, Format, fileSamples(f), mendFile) }

func FuzzBlocks(f *testing.F) { formattest.Fuzz(f, Stor, blockSamples(f), mendBlocks) }
