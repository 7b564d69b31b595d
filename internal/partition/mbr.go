package partition

import (
	"bytes"
	"errors"

	"github.com/vexfs/vexctl/internal/format"
)

// maxLogical bounds the chain of logical partitions.
const maxLogical = 128

// entry is one of the four of a sector. Sectors are the table's.
type entry struct {
	flag, kind     byte
	first, sectors int64
}

func (e *entry) used() bool     { return e.kind != 0 }
func (e *entry) extended() bool { return e.kind == 0x05 || e.kind == 0x0F || e.kind == 0x85 }

// table is the four entries of a first sector, or of a link of the chain;
// empty when the sector is none.
type table struct {
	found   bool
	boot    []byte // the whole sector
	entries [4]entry
}

// readMBR reads the first sector. A source too short for one has none.
func readMBR(src format.Source) (table, error) {
	return readTable(src, 0)
}

func readTable(src format.Source, at int64) (t table, err error) {
	b, err := read(src, at, 512)
	if errors.Is(err, format.ErrTruncated) {
		return t, nil
	}
	if err != nil || le.Uint16(b[510:]) != 0xAA55 {
		return t, err
	}
	t.found, t.boot = true, b
	for i := range t.entries {
		e := b[446+16*i:]
		t.entries[i] = entry{e[0], e[4], int64(le.Uint32(e[8:])), int64(le.Uint32(e[12:]))}
	}
	return t, nil
}

// protective says whether the table only guards a GPT.
func (t *table) protective() bool {
	for _, e := range t.entries {
		if e.kind == 0xEE {
			return true
		}
	}
	return false
}

// sensible says whether this is a table, and not program text in its place.
func (t *table) sensible(src format.Source) bool {
	if !t.found || t.bootSector() {
		return false
	}
	// A copy that was cut short may end before some of its partitions begin.
	within := false
	for i, e := range t.entries {
		switch {
		case e.flag&0x7F != 0:
			return false
		case !e.used():
			if e.first != 0 && e.sectors != 0 {
				return false
			}
		case e.first == 0 || e.sectors == 0 || t.overlaps(i):
			return false
		default:
			within = within || e.first*512 < src.Size()
		}
	}
	return within
}

// bootSector says whether a filesystem began here.
func (t *table) bootSector() bool {
	for _, m := range []struct {
		at   int
		text string
	}{{3, "NTFS    "}, {3, "EXFAT   "}, {54, "FAT12   "}, {54, "FAT16   "}, {54, "FAT     "}, {82, "FAT32   "}, {0, "XFSB"}} {
		if bytes.HasPrefix(t.boot[m.at:], []byte(m.text)) {
			return true
		}
	}
	return false
}

// overlaps says whether entry i shares sectors with an earlier one.
func (t *table) overlaps(i int) bool {
	a := t.entries[i]
	for _, b := range t.entries[:i] {
		if b.used() && a.first < b.first+b.sectors && b.first < a.first+a.sectors {
			return true
		}
	}
	return false
}

func (t *table) list(src format.Source) []Partition {
	sector := t.sectorSize(src)
	var out []Partition
	for i, e := range t.entries {
		if e.used() && !e.extended() {
			out = append(out, e.partition(i+1, 0, sector).fit(src))
		}
	}
	for _, e := range t.entries {
		if e.extended() {
			return append(out, logical(src, e.first, sector)...)
		}
	}
	return out
}

func (e *entry) partition(number int, base, sector int64) Partition {
	return Partition{Number: number, Start: (base + e.first) * sector, Length: e.sectors * sector, Type: mbrType(e.kind), Scheme: "mbr"}
}

// logical follows the chain of an extended partition. Each link holds one
// partition, which counts from the link, and the next link, which counts from
// the chain's start.
func logical(src format.Source, start, sector int64) (out []Partition) {
	seen := map[int64]bool{}
	for at := start; !seen[at] && len(seen) < maxLogical; {
		seen[at] = true
		t, err := readTable(src, at*sector)
		if err != nil || !t.found {
			return out
		}
		next := int64(0)
		for _, e := range t.entries[:2] {
			switch {
			case e.flag&0x7F != 0:
				return out
			case e.extended():
				next = start + e.first
			case e.used() && e.sectors > 0:
				out = append(out, e.partition(5+len(out), at, sector).fit(src))
			}
		}
		if next == 0 {
			return out
		}
		at = next
	}
	return out
}

// sectorSize is 4096 when only that makes a partition begin with something.
func (t *table) sectorSize(src format.Source) int64 {
	large := false
	for _, e := range t.entries {
		if !e.used() {
			continue
		}
		if begins(src, e.first*512) {
			return 512
		}
		large = large || begins(src, e.first*4096)
	}
	if large {
		return 4096
	}
	return 512
}

// begins says whether something known begins at a byte: a boot sector or a
// link of the chain, an ext or an XFS filesystem.
func begins(src format.Source, at int64) bool {
	b, err := read(src, at, 2048)
	return err == nil && (le.Uint16(b[510:]) == 0xAA55 || le.Uint16(b[1024+0x38:]) == 0xEF53 || string(b[:4]) == "XFSB")
}
