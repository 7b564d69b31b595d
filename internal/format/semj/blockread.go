package semj

import (
	"fmt"
	"slices"

	"github.com/vexfs/vexctl/internal/format"
)

// block is one STOR block as read: BlockSize bytes, or fewer at the end of a
// file that was cut off.
type block struct {
	b      []byte
	h      Block
	fields format.Fields
	sum    format.Sum
	got    uint32
	rows   []int    // rows of the table that hold something
	held   []held   // events, in the order of their places
	faults []defect // of the table
	// grown counts the bytes that packed events were expanded to.
	grown int
}

// maxGrown bounds the expansion of one block. No block whose events lie beside
// each other comes near it, however well they were packed; rows that all point
// at the same bytes do.
const maxGrown = 4 << 20

// held is an event at its place in a block.
type held struct {
	row    int
	at, n  int // the stored bytes
	event  []byte
	packed bool
}

// defect is what is wrong with one row, or with the count of rows.
type defect struct {
	code, what string
	at, n      int
	fields     format.Fields
}

// parseBlock reads a block of at least blkData bytes.
func parseBlock(b []byte) *block {
	k := &block{b: b}
	k.h = readBlock(b, &k.fields)
	k.check()
	k.use()
	for _, i := range k.rows {
		k.hold(i)
	}
	slices.SortStableFunc(k.held, func(x, y held) int { return x.at - y.at })
	k.separate()
	return k
}

// check computes the block's sum.
func (k *block) check() {
	if len(k.b) < BlockSize {
		k.sum = format.SumUnverifiable
		return
	}
	k.got = sumWithout(k.b, blkSum)
	switch k.h.Checksum {
	case k.got:
		k.sum = format.SumOK
	case 0:
		k.sum = format.SumNone
	default:
		k.sum = format.SumBad
	}
}

// use lists the rows in use. The count decides where it is possible and the
// block's own sum supports it; otherwise every row that is not empty counts.
func (k *block) use() {
	var filled []int
	for i := range MaxEntries {
		if !format.IsZero(k.b[entryAt(i):entryAt(i+1)]) {
			filled = append(filled, i)
		}
	}
	k.rows = filled
	n := len(filled)
	if k.h.Count == uint32(n) && (n == 0 || filled[n-1] == n-1) {
		return
	}
	k.miscount(n)
	if k.sum == format.SumOK && k.h.Count <= MaxEntries {
		k.rows = slices.DeleteFunc(filled, func(i int) bool { return i >= int(k.h.Count) })
	}
}

func (k *block) miscount(filled int) {
	what := fmt.Sprintf("the block counts %d events, its table holds %d", k.h.Count, filled)
	switch {
	case k.h.Count == uint32(filled):
		what = fmt.Sprintf("the block's %d events are not in the first rows of its table", filled)
	case k.h.Count > MaxEntries:
		what = fmt.Sprintf("the block counts %d events, %d fit", k.h.Count, MaxEntries)
	}
	var f format.Fields
	f.Uint("expected", blkCount, 4, uint64(k.h.Count))
	f.Uint("actual", 0, 0, uint64(filled))
	k.faults = append(k.faults, defect{CodeStorCount, what, blkCount, 4, f})
}

// fault notes a defect of row i.
func (k *block) fault(i int, code, what string) {
	x := decodeEntry(k.b[entryAt(i):])
	var f format.Fields
	f.Uint("event_id", entryAt(i)+entID, 8, x.ID)
	f.Uint("entry", 0, 0, uint64(i))
	k.faults = append(k.faults, defect{code, what, entryAt(i), entrySize, f})
}

// hold finds the event of row i.
func (k *block) hold(i int) {
	x := decodeEntry(k.b[entryAt(i):])
	end := uint64(x.Offset) + uint64(x.Stored)
	switch {
	case end > DataArea:
		k.fault(i, CodeStorOverflow, fmt.Sprintf("event %d ends %d bytes beyond the data area and is lost", x.ID, end-DataArea))
	case blkData+end > uint64(len(k.b)):
		k.fault(i, CodeEventTruncated, fmt.Sprintf("event %d is cut off by the end of the file", x.ID))
	case x.Stored == 0 || x.Stored > x.Size || x.Size < EventSize || x.Size > MaxEvent:
		k.fault(i, CodeStorEntry, fmt.Sprintf("an event of %d bytes can't be stored in %d", x.Size, x.Stored))
	default:
		k.take(i, &x)
	}
}

// take decodes the event of row i, whose stored bytes are inside the block.
func (k *block) take(i int, x *BlockEntry) {
	at := blkData + int(x.Offset)
	stored := k.b[at : at+int(x.Stored)]
	b, err := k.expand(stored, int(x.Size))
	if err != nil {
		k.fault(i, CodeStorEntry, fmt.Sprintf("event %d: %v", x.ID, err))
		return
	}
	size, why := measure(b, int64(len(b)))
	switch why {
	case taken:
	case badSize:
		k.fault(i, CodeEventSize, fmt.Sprintf("event %d's sizes contradict each other or exceed the limits", x.ID))
		return
	default:
		k.fault(i, CodeStorEntryMismatch, fmt.Sprintf("the table points at event %d, where there is %s", x.ID, why))
		return
	}
	k.held = append(k.held, held{row: i, at: at, n: len(stored), event: b[:size], packed: len(b) != len(stored)})
	if what := x.differs(b[:size]); what != "" {
		k.fault(i, CodeStorEntryMismatch, fmt.Sprintf("the table and event %d disagree on the %s", x.ID, what))
	}
}

// expand returns the event of n bytes that the stored bytes stand for.
func (k *block) expand(stored []byte, n int) ([]byte, error) {
	if n != len(stored) {
		if k.grown+n > maxGrown {
			return nil, errExpand
		}
		k.grown += n
	}
	return expand(stored, n, k.h.Compression)
}

// differs names what the row says other than the event b does, or "".
func (x *BlockEntry) differs(b []byte) string {
	switch {
	case x.ID != le.Uint64(b[evID:]):
		return "id"
	case int(x.Size) != len(b):
		return "size"
	case x.Sum != le.Uint32(b[evSum:]):
		return "checksum"
	}
	return ""
}

// separate drops events that lie on others: of two, the intact one stays, or
// the first.
func (k *block) separate() {
	kept := k.held[:0]
	for _, h := range k.held {
		last := len(kept) - 1
		switch {
		case last < 0 || h.at >= kept[last].at+kept[last].n:
			kept = append(kept, h)
		case h.intact() && !kept[last].intact() && (last == 0 || h.at >= kept[last-1].at+kept[last-1].n):
			k.overlap(kept[last].row)
			kept[last] = h
		default:
			k.overlap(h.row)
		}
	}
	k.held = kept
}

func (k *block) overlap(row int) {
	k.fault(row, CodeStorEntry, fmt.Sprintf("row %d stores its event on top of another's", row))
}

func (h *held) intact() bool { return sumWithout(h.event, evSum) == le.Uint32(h.event[evSum:]) }

// intact counts the events with the right sum.
func (k *block) intact() (n int) {
	for i := range k.held {
		if k.held[i].intact() {
			n++
		}
	}
	return n
}
