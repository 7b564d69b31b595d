package semj

import (
	"context"

	"github.com/vexfs/vexctl/internal/format"
)

// findBlocks opens a file of STOR blocks. The first block's magic makes it one.
func findBlocks(_ context.Context, src format.Source, opt format.Options) (format.Journal, error) {
	head := make([]byte, min(max(src.Size(), 0), BlockSize))
	n, err := src.ReadAt(head, 0)
	if n < len(head) && err != nil && !opt.Salvage {
		return nil, err
	}
	h := DecodeBlock(head[:n])
	j := &journal{body: blocks{src}}
	switch {
	case h.Magic == magicSTOR:
		if err := blockVersionOf(src, head[:n], &h); err != nil {
			return nil, err
		}
		return j, nil
	case swapped(h.Magic) == magicSTOR && h.Version == blockVersion:
		return j, nil // nothing but the magic is reversed
	case swapped(h.Magic) == magicSTOR && swapped(h.Version) == blockVersion:
		return nil, format.Unsupported(src, 0, swappedHint, "the semantic storage block %s", swappedWhat)
	case opt.Salvage && storesEvents(src):
		return j, nil
	case swapped(h.Magic) == magicSTOR:
		return nil, format.Unknown(src, "not semantic storage blocks, though they start with a byte-swapped STOR magic")
	}
	return nil, format.Unknown(src, "not semantic storage blocks: no STOR magic")
}

// blockVersionOf refuses blocks of another version, unless the block's own sum
// says that its version is damaged.
func blockVersionOf(src format.Source, b []byte, h *Block) error {
	if len(b) < blkVersion+4 || h.Version == blockVersion {
		return nil
	}
	if len(b) == BlockSize && h.Checksum != 0 && sumWithout(b, blkSum) != h.Checksum {
		return nil
	}
	return format.Unsupported(src, blkVersion, "", "the semantic storage block has version %d; only version %d can be read",
		h.Version, blockVersion)
}

// storesEvents reports whether the blocks near the start of src, magic or not,
// hold intact events where their tables say.
func storesEvents(src format.Source) bool {
	n, b := 0, make([]byte, BlockSize)
	for off := int64(0); off < min(src.Size(), salvageSpan); off += BlockSize {
		if got, _ := src.ReadAt(b, off); got >= blkData {
			n += parseBlock(b[:got]).intact()
		}
		if n >= salvageEvents {
			return true
		}
	}
	return false
}
