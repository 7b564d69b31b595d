package format

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"
)

// Severity says how bad a fault is.
type Severity uint8

const (
	// Note: worth knowing, nothing is wrong.
	Note Severity = iota
	// Warning: suspicious, and explained.
	Warning
	// Damage is shown as "error": a journal with one is not ok.
	Damage
)

// String returns the severity's name in every output format.
func (s Severity) String() string { return [...]string{"note", "warning", "error"}[s] }

// Rule describes one fault code. Codes are declared beside the code that
// detects them, never change, and have one severity each.
type Rule struct {
	Code     string
	Severity Severity
	// Growing: normal while somebody is writing the journal.
	Growing bool
	// Doc says in one sentence what the fault means, for people.
	Doc string
	// Outlook replaces [Info.Outlook] where a scan finds the fault; empty if
	// the fault changes nothing about it.
	Outlook string
}

// Fault is something wrong at one place.
type Fault struct {
	Code string
	// Message says what is wrong, in a sentence without the place.
	Message string
	// Offset is in the file named by the user, or -1; JournalOffset is within
	// the journal; Length is in bytes.
	Offset, JournalOffset, Length int64
	// Seq and Tid place it in the log, when HasSeq and HasTid say so.
	Seq, Tid       uint64
	HasSeq, HasTid bool
	// Found and Want are sums in lower-case hex, empty when there are none.
	Found, Want string
	// FlipOffset is the byte offset, counted like Offset, of the single bit
	// whose flip explains the wrong sum, and FlipBit its number (0 is the least
	// significant); -1 when there is no such bit.
	FlipOffset int64
	FlipBit    int
	// Fields carries whatever else the format knows of it.
	Fields Fields
}

// Sums notes the checksum found and the one expected, both of size bytes.
func (f *Fault) Sums(found, want uint64, size int) *Fault {
	f.Found = fmt.Sprintf("%0*x", 2*size, found)
	f.Want = fmt.Sprintf("%0*x", 2*size, want)
	return f
}

// Flip looks for the one bit whose flip explains that the CRC of block is
// computed as got where stored was found, and notes it. block starts at the
// fault's offset; the CRC is reflected and given by its table. The sum itself
// is kept in the four bytes at sumAt, in the given order, and was zero in them
// (or they lie outside the block) when it was made.
func (f *Fault) Flip(table *crc32.Table, block []byte, sumAt int, order binary.ByteOrder, got, stored uint32) *Fault {
	diff := got ^ stored
	if bits.OnesCount32(diff) == 1 {
		var b [4]byte
		order.PutUint32(b[:], diff)
		for i, x := range b {
			if x != 0 {
				return f.SetFlip(f.Offset+int64(sumAt+i), bits.TrailingZeros8(x), "of the stored sum")
			}
		}
	}
	at, bit := FlippedBit(table, len(block), diff)
	if at < 0 || at >= sumAt && at < sumAt+4 {
		return f
	}
	return f.SetFlip(f.Offset+int64(at), bit, "")
}

// SetFlip notes that one flipped bit explains the fault: bit of the byte at
// offset, counted like [Fault.Offset]. of says what the byte belongs to when
// that is not plain.
func (f *Fault) SetFlip(offset int64, bit int, of string) *Fault {
	f.FlipOffset, f.FlipBit = offset, bit
	if of != "" {
		of = " " + of
	}
	f.Message += fmt.Sprintf("; one flipped bit explains it: bit %d of byte %d%s", bit, offset, of)
	return f
}

// FlippedBit returns the byte and bit of an n-byte message whose flip changes
// its CRC by the given difference, or -1 if no single bit does. A CRC is
// linear, so the difference does not depend on the message.
func FlippedBit(table *crc32.Table, n int, diff uint32) (at, bit int) {
	if diff == 0 {
		return -1, -1
	}
	// Run the register backward from the end of the message: before byte n-1
	// the flip's trace is one of eight known values, and each earlier byte
	// turns it by one more step.
	var trace [8]uint32
	for b := range trace {
		trace[b] = table[1<<b]
	}
	for at = n - 1; at >= 0; at-- {
		for b := range trace {
			if trace[b] == diff {
				return at, b
			}
			trace[b] = table[byte(trace[b])] ^ trace[b]>>8
		}
	}
	return -1, -1
}

// SetSeq places the fault in the log.
func (f *Fault) SetSeq(seq uint64) *Fault {
	f.Seq, f.HasSeq = seq, true
	return f
}

// Clone returns a copy that shares nothing with f.
func (f *Fault) Clone() Fault {
	c := *f
	c.Fields = f.Fields.Clone()
	return c
}
