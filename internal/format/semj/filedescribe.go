package semj

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// mark is a hash over the file's header and size: a writer that keeps to the
// format changes one of them with every event.
func (f file) mark() string {
	fr, _ := readFrame(f.src)
	return markOf(fr.size, fr.raw)
}

func markOf(size int64, parts ...[]byte) string {
	h := sha256.New()
	fmt.Fprintln(h, size)
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (f file) describe(a *audit) *format.Info {
	fr, _ := readFrame(f.src)
	info := &format.Info{Format: nameFile, Geometry: fr.fields}
	info.Variant = []string{fmt.Sprintf("%d.%d", fr.h.Major, fr.h.Minor)}
	if fr.index < fr.size {
		info.Variant = append(info.Variant, "index")
	}
	d := describer{fr, &info.Faults}
	switch {
	case fr.failed:
	case len(fr.raw) < HeaderSize:
		d.magic()
		d.add(CodeTruncated, fmt.Sprintf("the file has %d bytes, its header %d", fr.size, HeaderSize), 0, fr.size)
	default:
		d.header()
		d.numbers(a)
	}
	return info
}

// describer collects what is wrong with a file as a whole.
type describer struct {
	*frame
	faults *[]format.Fault
}

func (d describer) add(code, message string, at, n int64) *format.Fault {
	*d.faults = append(*d.faults, format.Fault{Code: code, Message: message,
		Offset: format.Place(d.src, at), JournalOffset: at, Length: n, FlipOffset: -1})
	return &(*d.faults)[len(*d.faults)-1]
}

func (d describer) magic() {
	if d.h.Magic == magicSEMJ {
		return
	}
	what := fmt.Sprintf("the magic is %08x, not %08x", d.h.Magic, uint32(magicSEMJ))
	if swapped(d.h.Magic) == magicSEMJ {
		what = "the magic is byte-swapped"
	}
	d.add(CodeMagic, what, hdrMagic, 4)
}

func (d describer) header() {
	d.magic()
	if d.h.Major != fileMajor {
		d.add(CodeVersion, fmt.Sprintf("the version is %d, not %d", d.h.Major, fileMajor), hdrMajor, 4)
	}
	switch {
	case d.magicOnly:
	case d.sum == format.SumNone:
		d.add(CodeChecksumUnset, "the file header's checksum was never set", hdrSum, 4)
	case d.sum == format.SumBad:
		d.add(CodeChecksum, "the file header's checksum is wrong", 0, HeaderSize).
			Sums(uint64(d.h.Checksum), uint64(d.got), 4).
			Flip(crcTable, d.raw, hdrSum, le, d.got, d.h.Checksum)
	}
}

// numbers compares the header's numbers with the file's. A header that is no
// SEMJ header at all has none.
func (d describer) numbers(a *audit) {
	if d.h.Magic != magicSEMJ && !d.magicOnly {
		return
	}
	if d.h.JournalSize != uint64(d.size) {
		d.differ(CodeSize, "size in bytes", hdrSize, d.h.JournalSize, uint64(d.size))
	}
	if d.h.TotalEvents != a.events {
		d.differ(CodeCount, "count of events", hdrTotal, d.h.TotalEvents, a.events)
	}
	if a.any && d.h.NextEventID <= a.maxID {
		f := d.add(CodeNextID, fmt.Sprintf("the next event id is %d, but there is an event %d", d.h.NextEventID, a.maxID), hdrNextID, 8)
		f.Fields.Uint("next_event_id", hdrNextID, 8, d.h.NextEventID)
		f.Fields.Uint("event_id", 0, 0, a.maxID)
	}
	if d.missing {
		d.cutIndex()
	}
}

// cutIndex notes an index that is not whole, at what is there of it or at the
// header's word of it.
func (d describer) cutIndex() {
	at, n := d.index, d.size-d.index
	if n == 0 {
		at, n = hdrIndex, 8
	}
	f := d.add(CodeIndexTruncated, fmt.Sprintf("an index of %d entries at byte %d does not fit the file", d.h.TotalEvents, d.h.IndexOffset), at, n)
	f.Fields.Uint("index_offset", hdrIndex, 8, d.h.IndexOffset)
	f.Fields.Uint("expected", 0, 0, d.h.TotalEvents)
	f.Fields.Uint("actual", 0, 0, uint64(d.entries))
}

// differ notes that the header's number at byte at is not what was found.
func (d describer) differ(code, name string, at int64, header, actual uint64) {
	f := d.add(code, fmt.Sprintf("the header's %s is %d, the file's %d", name, header, actual), at, 8)
	f.Fields.Uint("expected", int(at), 8, header)
	f.Fields.Uint("actual", 0, 0, actual)
}
