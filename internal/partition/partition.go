// Package partition finds the partitions of a disk or of an image of one, so
// that a filesystem or a journal within can be named. It reads MBR tables with
// their chains of logical partitions, and GPT from either of its two copies; it
// never writes.
//
// A table is believed only when it makes sense as a whole. The two bytes 55 AA
// that end an MBR end the boot sectors of FAT and NTFS as well, and there the
// place of the table holds program text; such a sector is no table. A GPT must
// have the right checksums, of its header and of its entries.
//
// Sectors are of 512 or 4096 bytes. A GPT tells which by where its header
// stands. An MBR does not: 512 is assumed, unless only with 4096 something that
// is known begins where the partitions do.
//
// MBR, in the first sector, and each link of the chain of logical partitions:
//
//	446 64  four entries      0 1  80: bootable, 0: not   8  4  first sector
//	510 2   55 AA             4 1  type                   12 4  sectors
//
// GPT header, in the second sector and in the last one:
//
//	0  8  "EFI PART"          72 8  first sector of the entries
//	12 4  header size         80 4  number of entries
//	16 4  CRC of the header   84 4  size of an entry
//	32 8  the other header    88 4  CRC of the entries
//
// GPT entry:
//
//	0  16 type    16 16 id    32 8 first sector    40 8 last sector    56 72 name, UTF-16
package partition

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/vexfs/vexctl/internal/format"
)

var le = binary.LittleEndian

// Partition is one part of a disk.
type Partition struct {
	// Number is what the operating system appends to the disk's name. Logical
	// partitions of an MBR count from 5.
	Number int
	// Start and Length are in bytes; Length ends with the source at the latest.
	Start, Length int64
	// Type is a name for people where there is one; else the GUID of a GPT type
	// or the hex number of an MBR type.
	Type string
	// Name is the one a GPT gives, or "".
	Name string
	// Scheme is "mbr" or "gpt".
	Scheme string
	// Clipped: the table gives the partition more than the source holds.
	Clipped bool
}

// Find lists the partitions, by their numbers. The container of logical
// partitions is not listed. Without a table the error is
// [format.ErrUnknownFormat]; when there was a GPT and none of its copies can be
// used, [format.ErrCorrupt].
func Find(src format.Source) ([]Partition, error) {
	mbr, err := readMBR(src)
	if err != nil {
		return nil, err
	}
	parts, err := findGPT(src)
	switch {
	case err == nil:
		return parts, nil
	case mbr.protective() || errors.Is(err, format.ErrCorrupt):
		return nil, &format.Error{What: "the disk has a GPT, and both copies of it are damaged", Path: src.Name(), Offset: -1,
			Hint: "gdisk may be able to rebuild the table", Err: format.ErrCorrupt}
	case !mbr.sensible(src):
		return nil, format.Unknown(src, "holds no partition table")
	}
	return mbr.list(src), nil
}

// read returns n bytes at off, or the error class: truncated, or the cause.
func read(src format.Source, off int64, n int) ([]byte, error) {
	if off < 0 || off > src.Size()-int64(n) {
		return nil, format.ErrTruncated
	}
	b := make([]byte, n)
	got, err := src.ReadAt(b, off)
	if got == n {
		return b, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return nil, format.ErrTruncated
	}
	return nil, fmt.Errorf("read the partition table: %w", err)
}

// fit makes a partition end with the source.
func (p Partition) fit(src format.Source) Partition {
	room := src.Size() - p.Start
	if p.Start < 0 || room < 0 {
		room = 0
	}
	if p.Length > room || p.Length < 0 {
		p.Length, p.Clipped = room, true
	}
	return p
}
