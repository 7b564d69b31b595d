package semj

import (
	"context"

	"github.com/vexfs/vexctl/internal/format"
)

const docs = "docs/formats/semj.md"

// The names of the two formats.
const (
	nameFile   = "semj"
	nameBlocks = "stor"
)

// Format is the SEMJ journal file.
var Format = &format.Format{
	Name:   nameFile,
	Title:  "VexFS semantic journal",
	Find:   findFile,
	Kinds:  []format.Kind{format.Superblock, format.Event, format.Index, format.Gap},
	Rules:  rules(eventRules, semjRules),
	Writes: true,
	Docs:   docs,
}

// Stor is the file of STOR blocks.
var Stor = &format.Format{
	Name:   nameBlocks,
	Title:  "VexFS semantic storage blocks",
	Find:   findBlocks,
	Kinds:  []format.Kind{format.Storage, format.Event, format.Gap},
	Rules:  rules(eventRules, storRules),
	Writes: true,
	Docs:   docs,
}

const (
	swappedWhat = "is byte-swapped: written by a machine of the other byte order"
	swappedHint = "only little-endian journals can be read"
	// salvageSpan is how far into a file salvage looks for a journal.
	salvageSpan = 256 << 10
	// salvageEvents is how many events in a row prove one.
	salvageEvents = 2
)

// findFile opens a SEMJ file. Its magic alone makes it one; the version then
// decides whether it can be read.
func findFile(ctx context.Context, src format.Source, opt format.Options) (format.Journal, error) {
	fr, err := readFrame(src)
	if err != nil && !opt.Salvage {
		return nil, err
	}
	j := &journal{body: file{src}}
	switch m := fr.h.Magic; {
	case m == magicSEMJ:
		if err := fr.version(ctx, opt.Salvage); err != nil {
			return nil, err
		}
		return j, nil
	case swapped(m) == magicSEMJ && fr.h.Major == fileMajor:
		return j, nil // nothing but the magic is reversed
	case swapped(m) == magicSEMJ && swapped(fr.h.Major) == fileMajor:
		return nil, format.Unsupported(src, 0, swappedHint, "the semantic journal %s", swappedWhat)
	}
	// Blocks of compact events have a chain too, but are no SEMJ file.
	if opt.Salvage && !storesEvents(src) {
		if ok, err := chained(ctx, src, salvageEvents); ok || err != nil {
			return j, err
		}
	}
	if swapped(fr.h.Magic) == magicSEMJ {
		return nil, format.Unknown(src, "not a semantic journal, though it starts with a byte-swapped SEMJ magic")
	}
	return nil, format.Unknown(src, "not a semantic journal: no SEMJ magic")
}

// version refuses a file of another version. A version that the header's own
// sum contradicts is damage, as long as there are events to be read.
func (f *frame) version(ctx context.Context, salvage bool) error {
	if len(f.raw) < hdrMajor+4 || f.h.Major == fileMajor {
		return nil
	}
	if f.sum == format.SumBad || f.sum == format.SumUnverifiable || salvage && f.sum != format.SumOK {
		if ok, err := chained(ctx, f.src, 1); ok || err != nil {
			return err
		}
	}
	return format.Unsupported(f.src, hdrMajor, "", "the semantic journal has version %d.%d; only version %d can be read",
		f.h.Major, f.h.Minor, fileMajor)
}

// chained reports whether n intact events follow each other near the start of
// src. Chance does not bring forth one.
func chained(ctx context.Context, src format.Source, n int) (bool, error) {
	end := min(src.Size(), salvageSpan+int64(n)*MaxEvent)
	w := newWalker(ctx, src, 0, end)
	run := 0
	for w.pos < salvageSpan || run > 0 {
		p, ok, err := w.next()
		if err != nil || !ok {
			return false, err
		}
		if run++; !p.good() {
			run = 0
		}
		if run >= n {
			return true, nil
		}
	}
	return false, nil
}
