package semj

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// damage is one way to break a journal, and what is then found.
type damage struct {
	name    string
	build   func(t *testing.T) []byte
	hurt    func(b []byte) []byte
	codes   []string // all of them, sorted
	events  int      // records shown as events
	salvage bool
}

// at applies f in place.
func at(f func(b []byte)) func([]byte) []byte {
	return func(b []byte) []byte { f(b); return b }
}

// header changes the file header and mends its sum.
func header(f func(h *Header)) func([]byte) []byte {
	return at(func(b []byte) {
		h := DecodeHeader(b)
		f(&h)
		h.Checksum = h.Sum()
		copy(b, h.Encode())
	})
}

func indexed(t *testing.T) []byte { return buildFile(t, compact(4), true) }
func plain(t *testing.T) []byte   { return buildFile(t, compact(4), false) }
func stored(t *testing.T) []byte  { return buildBlocks(t, compact(4)) }

// changed builds a plain journal of events that edit has been at.
func changed(edit func(e []*Event)) func(t *testing.T) []byte {
	return func(t *testing.T) []byte {
		e := compact(4)
		edit(e)
		return buildFile(t, e, false)
	}
}

func whole(b []byte) []byte { return b }

// Where the events of compact(4) lie in a plain journal.
const (
	ev0 = HeaderSize
	ev1 = ev0 + EventSize + 2
	ev2 = ev1 + EventSize
	ev3 = ev2 + EventSize
)

var fileDamage = []damage{
	{name: "intact", build: indexed, hurt: whole, events: 4},
	{name: "magic", build: plain, hurt: at(func(b []byte) { b[0] ^= 1 }), codes: []string{CodeMagic}, events: 4, salvage: true},
	{name: "magic byte-swapped", build: plain, hurt: at(func(b []byte) { slices.Reverse(b[:4]) }), codes: []string{CodeMagic}, events: 4},
	{name: "version", build: plain, hurt: at(func(b []byte) { b[hdrMajor] = 9 }), codes: []string{CodeChecksum, CodeVersion}, events: 4},
	{name: "header sum", build: indexed, hurt: at(func(b []byte) { b[hdrFlags] = 1 }), codes: []string{CodeChecksum}, events: 4},
	{name: "header sum and index offset", build: indexed, hurt: at(func(b []byte) { b[hdrIndex] ^= 4 }), codes: []string{CodeChecksum}, events: 4},
	{name: "header sum unset", build: indexed, hurt: at(func(b []byte) { clear(b[hdrSum : hdrSum+4]) }), codes: []string{CodeChecksumUnset}, events: 4},
	{name: "count", build: plain, hurt: header(func(h *Header) { h.TotalEvents++ }), codes: []string{CodeCount}, events: 4},
	{name: "next id", build: plain, hurt: header(func(h *Header) { h.NextEventID-- }), codes: []string{CodeNextID}, events: 4},
	{name: "size", build: plain, hurt: header(func(h *Header) { h.JournalSize++ }), codes: []string{CodeSize}, events: 4},
	{name: "padded", build: indexed, hurt: func(b []byte) []byte { return append(b, make([]byte, 100)...) }, codes: []string{CodeSize}, events: 4},
	{name: "padded without index", build: plain, hurt: func(b []byte) []byte { return append(b, make([]byte, 300)...) }, codes: []string{CodeSize}, events: 4},
	{name: "header cut off", build: plain, hurt: func(b []byte) []byte { return b[:40] }, codes: []string{CodeTruncated}},
	{name: "event cut off", build: plain, hurt: func(b []byte) []byte { return b[:ev3+140] },
		codes: []string{CodeEventTruncated, CodeCount, CodeGap, CodeSize}, events: 3},
	{name: "event cut off in its header", build: plain, hurt: func(b []byte) []byte { return b[:ev3+50] },
		codes: []string{CodeEventTruncated, CodeCount, CodeGap, CodeSize}, events: 3},
	{name: "event bit", build: plain, hurt: at(func(b []byte) { b[ev1+20] ^= 4 }), codes: []string{CodeEventChecksum, CodeEventSequenceGap}, events: 4},
	{name: "event sizes", build: plain, hurt: at(func(b []byte) { b[ev1+evSize]++ }),
		codes: []string{CodeEventSequenceGap, CodeEventSize, CodeCount, CodeGap}, events: 3},
	{name: "event limits", build: plain, hurt: at(func(b []byte) { b[ev1+evMetadata+3] = 0x80 }),
		codes: []string{CodeEventSequenceGap, CodeEventSize, CodeCount, CodeGap}, events: 3},
	{name: "event version", build: plain, hurt: at(func(b []byte) { b[ev1+evVersion] = 2 }),
		codes: []string{CodeEventSequenceGap, CodeCount, CodeGap}, events: 3},
	{name: "zeroed", build: plain, hurt: at(func(b []byte) { clear(b[ev1:ev3]) }),
		codes: []string{CodeEventSequenceGap, CodeCount, CodeGap}, events: 2},
	{name: "foreign bytes", build: plain, hurt: func(b []byte) []byte { return slices.Insert(b, ev2, []byte("not an event, but more than nothing")...) },
		codes: []string{CodeGap, CodeSize}, events: 4},
	{name: "id order", build: changed(func(e []*Event) { e[2].ID = 3 }), hurt: whole, codes: []string{CodeEventIDOrder}, events: 4},
	{name: "sequence gap", build: changed(func(e []*Event) { e[2].GlobalSeq, e[3].GlobalSeq = 13, 14 }), hurt: whole, codes: []string{CodeEventSequenceGap}, events: 4},
	{name: "context size", build: changed(func(e []*Event) { e[2].Context, e[2].ContextBytes = &Context{Path: "/x"}, 100 }), hurt: whole,
		codes: []string{CodeEventContextSize}, events: 4},
	{name: "type", build: changed(func(e []*Event) { e[2].Type = 0x0913 }), hurt: whole, codes: []string{CodeEventType}, events: 4},
	{name: "link cause", build: changed(func(e []*Event) { e[3].Links[0].Cause = 77 }), hurt: whole, codes: []string{CodeLinkUnknownEvent}, events: 4},
	{name: "link effect", build: changed(func(e []*Event) { e[3].Links[0].Effect = 1 }), hurt: whole, codes: []string{CodeLinkUnknownEvent}, events: 4},
	{name: "link forward", build: changed(func(e []*Event) { e[0].Links = []Link{{Cause: 2, Effect: 5}} }), hurt: whole, events: 4},
	{name: "link to damage", build: plain, hurt: at(func(b []byte) { b[ev0+20] ^= 4 }), codes: []string{CodeEventChecksum, CodeLinkUnknownEvent}, events: 4},
	{name: "link time", build: changed(func(e []*Event) { e[0].KTime = e[3].KTime + 1 }), hurt: whole, codes: []string{CodeLinkTimeOrder}, events: 4},
	{name: "index entry", build: indexed, hurt: at(func(b []byte) { b[len(b)-2*IndexEntrySize+idxCPU] ^= 1 }), codes: []string{CodeIndexMismatch}, events: 4},
	{name: "index offset of an entry", build: indexed, hurt: at(func(b []byte) { b[len(b)-3*IndexEntrySize+idxOffset] ^= 0x80 }), codes: []string{CodeIndexMismatch}, events: 4},
	{name: "index cut off", build: indexed, hurt: func(b []byte) []byte { return b[:len(b)-IndexEntrySize-9] }, codes: []string{CodeIndexTruncated, CodeSize}, events: 4},
	{name: "index gone", build: indexed, hurt: func(b []byte) []byte { return b[:ev3+EventSize+LinkSize+2-5] },
		codes: []string{CodeEventTruncated, CodeIndexTruncated, CodeCount, CodeGap, CodeSize}, events: 3},
}

// inBlock changes a STOR block and mends its sum.
func inBlock(f func(b []byte)) func([]byte) []byte {
	return at(func(b []byte) { f(b); mendBlock(b) })
}

// row edits row i of a block's table.
func row(i int, f func(x *BlockEntry)) func([]byte) []byte {
	return inBlock(func(b []byte) {
		x := decodeEntry(b[entryAt(i):])
		f(&x)
		x.encode(b[entryAt(i):])
	})
}

var blockDamage = []damage{
	{name: "intact", build: stored, hurt: whole, events: 4},
	{name: "magic", build: stored, hurt: at(func(b []byte) { b[0] ^= 1 }), codes: []string{CodeStorMagic}, events: 4, salvage: true},
	{name: "magic byte-swapped", build: stored, hurt: at(func(b []byte) { slices.Reverse(b[:4]) }), codes: []string{CodeStorMagic}, events: 4},
	{name: "second block is none", build: stored, hurt: func(b []byte) []byte { return append(b, bytes.Repeat([]byte{7}, BlockSize)...) },
		codes: []string{CodeStorMagic}, events: 4},
	{name: "second block of another version", build: stored, hurt: func(b []byte) []byte {
		next := make([]byte, BlockSize)
		binary.LittleEndian.PutUint32(next, magicSTOR)
		next[blkVersion] = 2
		return append(b, next...)
	}, codes: []string{CodeStorMagic}, events: 4},
	{name: "version bit", build: stored, hurt: at(func(b []byte) { b[blkVersion] = 3 }), codes: []string{CodeStorChecksum}, events: 4},
	{name: "sum", build: stored, hurt: at(func(b []byte) { b[blkReserved] = 1 }), codes: []string{CodeStorChecksum}, events: 4},
	{name: "sum unset", build: stored, hurt: at(func(b []byte) { clear(b[blkSum : blkSum+4]) }), codes: []string{CodeStorChecksumUnset}, events: 4},
	{name: "count", build: stored, hurt: inBlock(func(b []byte) { b[blkCount]++ }), codes: []string{CodeStorCount}, events: 4},
	{name: "count too small", build: stored, hurt: inBlock(func(b []byte) { b[blkCount]-- }), codes: []string{CodeStorCount}, events: 3},
	{name: "count absurd", build: stored, hurt: inBlock(func(b []byte) { b[blkCount+3] = 0xff }), codes: []string{CodeStorCount}, events: 4},
	{name: "entry", build: stored, hurt: row(1, func(x *BlockEntry) { x.Size = 5 }), codes: []string{CodeEventSequenceGap, CodeStorEntry}, events: 3},
	{name: "entry not compressed", build: stored, hurt: row(1, func(x *BlockEntry) { x.Size++ }), codes: []string{CodeEventSequenceGap, CodeStorEntry}, events: 3},
	{name: "entries overlap", build: stored, hurt: row(2, func(x *BlockEntry) { x.Offset = EventSize + 2 }),
		codes: []string{CodeEventSequenceGap, CodeStorEntry, CodeStorEntryMismatch}, events: 3},
	{name: "entry id", build: stored, hurt: row(1, func(x *BlockEntry) { x.ID = 9 }), codes: []string{CodeStorEntryMismatch}, events: 4},
	{name: "entry sum", build: stored, hurt: row(1, func(x *BlockEntry) { x.Sum++ }), codes: []string{CodeStorEntryMismatch}, events: 4},
	{name: "entry beside an event", build: stored, hurt: row(3, func(x *BlockEntry) { x.Offset++ }), codes: []string{CodeStorEntryMismatch}, events: 3},
	{name: "overflow", build: stored, hurt: row(3, func(x *BlockEntry) { x.Offset = 2300 }), codes: []string{CodeStorOverflow}, events: 3},
	{name: "as the kernel makes it", build: kernelBlock, hurt: whole, codes: []string{CodeStorOverflow}},
	{name: "event bit", build: stored, hurt: inBlock(func(b []byte) { b[blkData+EventSize+2+20] ^= 4 }), codes: []string{CodeEventChecksum, CodeEventSequenceGap}, events: 4},
	{name: "event sizes", build: stored, hurt: inBlock(func(b []byte) { b[blkData+EventSize+2+evSize]++ }),
		codes: []string{CodeEventSequenceGap, CodeEventSize}, events: 3},
	{name: "short", build: stored, hurt: func(b []byte) []byte { return b[:4000] }, codes: []string{CodeStorShort}, events: 4},
	{name: "very short", build: stored, hurt: func(b []byte) []byte { return b[:1000] }, codes: []string{CodeStorShort}},
	{name: "short within an event", build: stored, hurt: func(b []byte) []byte { return b[:blkData+200] },
		codes: []string{CodeEventTruncated, CodeEventTruncated, CodeEventTruncated, CodeStorShort}, events: 1},
	{name: "link", build: func(t *testing.T) []byte {
		e := compact(4)
		e[3].Links = append(e[3].Links, Link{Cause: 3, Effect: 99}, Link{Cause: 4, Effect: 2})
		return buildBlocks(t, e)
	}, hurt: whole, codes: []string{CodeLinkTimeOrder, CodeLinkUnknownEvent}, events: 4},
	{name: "orders and type", build: func(t *testing.T) []byte {
		e := compact(4)
		e[1].ID, e[2].Type, e[3].GlobalSeq = 2, 0x0700, 9
		return buildBlocks(t, e)
	}, hurt: whole, codes: []string{CodeEventIDOrder, CodeEventSequenceGap, CodeEventType}, events: 4},
	{name: "context size", build: func(t *testing.T) []byte {
		e := kernelEvent(0)
		e.Context, e.ContextBytes = &Context{Transaction: 5}, 24
		raw := encode(t, e)
		b := buildBlocks(t, []*Event{kernelEvent(0)})
		copy(b[blkData:], raw)
		x := BlockEntry{ID: e.ID, Size: uint32(len(raw)), Stored: uint32(len(raw)), Sum: le.Uint32(raw[evSum:])}
		x.encode(b[entryAt(0):])
		mendBlock(b)
		return b
	}, hurt: whole, codes: []string{CodeEventContextSize}, events: 1},
}

// kernelBlock is a block as VexFS fills it: with an event that does not fit.
func kernelBlock(t *testing.T) []byte {
	e := kernelEvent(0)
	e.Context = &Context{Path: "/a/b.txt"}
	raw, b := encode(t, e), make([]byte, BlockSize)
	h := Block{Magic: magicSTOR, Version: 1, ID: 2, Count: 1, Used: uint32(len(raw)), FirstID: 2, LastID: 2}
	h.encode(b)
	x := BlockEntry{ID: 2, Size: uint32(len(raw)), Stored: uint32(len(raw)), Sum: le.Uint32(raw[evSum:])}
	x.encode(b[entryAt(0):])
	copy(b[blkData:], raw)
	mendBlock(b)
	return b
}

func TestFileFaults(t *testing.T)  { testDamage(t, Format, fileDamage) }
func TestBlockFaults(t *testing.T) { testDamage(t, Stor, blockDamage) }

func testDamage(t *testing.T, ft *format.Format, cases []damage) {
	seen := map[string]bool{CodeUnreadable: true} // see TestBadSector
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := c.hurt(c.build(t))
			r := read(t, ft, format.NewBytes(c.name, b), format.Options{Salvage: c.salvage})
			got := r.codes()
			want := slices.Sorted(slices.Values(c.codes))
			if !slices.Equal(got, want) {
				t.Errorf("faults %v, want %v", got, want)
				for _, f := range r.faults() {
					t.Logf("%s at %d+%d: %s", f.Code, f.Offset, f.Length, f.Message)
				}
			}
			if n := len(r.events()); n != c.events {
				t.Errorf("%d events, want %d", n, c.events)
			}
			if bad := anyDamage(r.faults()); bad != (r.info.State == format.Damaged) {
				t.Errorf("state %s with faults %v", r.info.State, got)
			}
			for _, f := range r.faults() {
				seen[f.Code] = true
				if f.Offset < 0 || f.Length <= 0 || f.Offset+f.Length > int64(len(b)) {
					t.Errorf("%s lies at %d+%d of %d", f.Code, f.Offset, f.Length, len(b))
				}
			}
		})
	}
	for _, r := range ft.Rules {
		if !seen[r.Code] {
			t.Errorf("no case raises %s", r.Code)
		}
	}
}

// A flipped bit is named, in an event, in both headers, and in a stored sum.
func TestFlippedBitIsNamed(t *testing.T) {
	for _, c := range []struct {
		ft  *format.Format
		b   []byte
		off int
	}{
		{Format, plain(t), ev1 + 20}, {Format, plain(t), ev1 + evSum + 1}, {Format, plain(t), hdrFlags},
		{Stor, stored(t), blkReserved}, {Stor, stored(t), blkSum + 3}, {Stor, stored(t), entryAt(60)},
	} {
		c.b[c.off] ^= 4
		r := readBytes(t, c.ft, c.b)
		if f := r.faults(); len(f) == 0 || f[0].FlipOffset != int64(c.off) || f[0].FlipBit != 2 {
			t.Errorf("%s, byte %d: %+v", c.ft.Name, c.off, f)
		}
	}
}

// Numbers of the fault are those that the journal and the rule give.
func TestFaultsCarryTheirNumbers(t *testing.T) {
	b := plain(t)
	b[ev1+20] ^= 4
	r := readBytes(t, Format, b)
	f := r.events()[1].Faults[0]
	if f.Fields.Num("event_id") != 3 || !f.HasSeq || f.Seq != 2 || f.Offset != ev1 || f.Length != EventSize || len(f.Found) != 8 || len(f.Want) != 8 {
		t.Errorf("%+v", f)
	}
	f = r.events()[2].Faults[0]
	if f.Fields.Num("expected") != 2 || f.Fields.Num("actual") != 3 {
		t.Errorf("%+v", f)
	}
}
