package vexf

import (
	"cmp"
	"slices"
	"sort"
)

// maxSequence is the highest sequence that is taken seriously.
const maxSequence = 1<<63 - 1

// Window is the live part of the log.
type Window struct {
	// First and Last are sequences; the window is empty when First is above.
	First, Last uint64
	// Lapped: the log has overwritten blocks of its own.
	Lapped bool
}

// pointer is what the superblock says of the log's end: where the ring is
// turned to, and the sequence that comes next. The zero value vouches for
// nothing.
type pointer struct{ shift, next uint64 }

// home is the slot that a sequence belongs to.
func (a *analysis) home(seq uint64) int64 {
	n := a.area.ring
	return int64(((seq-1)%n + a.shift) % n)
}

// homes lists the sound blocks that are where their sequence says, in order of
// sequence.
func (a *analysis) homes(shift uint64) []int {
	a.shift = shift
	var out []int
	for i := range a.spans {
		if s := &a.spans[i]; s.state == good && validSeq(s.seq) && a.home(s.seq) == s.pos {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(i, k int) int { return cmp.Compare(a.spans[i].seq, a.spans[k].seq) })
	return out
}

func validSeq(s uint64) bool { return s >= 1 && s <= maxSequence }

// settle finds where the log ends.
func (a *analysis) settle(sb *Superblock) {
	var p pointer
	if !sb.pointer() {
		a.distrust("head %d and sequence %d are impossible", sb.Head, sb.Sequence)
	} else {
		p = pointer{sb.shift(), sb.Sequence}
	}
	live, last, why := a.end(p)
	if why != "" {
		a.distrust("%s", why)
		p = pointer{}
		live, last, _ = a.end(p)
	}
	if p.next > 0 && p.next-1 < last {
		a.behind(p.next, last)
	}
	a.frame(live, last)
}

// end returns the sound blocks at home and the highest live sequence. why says
// what is wrong with the pointer when it can't be right.
func (a *analysis) end(p pointer) (live []int, last uint64, why string) {
	if live = a.homes(p.shift); len(live) == 0 && p.shift != 0 {
		if len(a.homes(0)) > 0 {
			return nil, 0, "no block lies where head and sequence put it, and some lie where a new log starts"
		}
		a.shift = p.shift
	}
	live, a.stale = a.generation(live, p.next)
	if len(live) > 0 {
		last = a.spans[live[len(live)-1]].seq
	}
	if p.next > 0 && p.next-1 > last {
		if p.next-1-last > a.area.ring {
			return nil, 0, "the sequence is more than a lap ahead of the log"
		}
		last = p.next - 1
	}
	return live, last, ""
}

// generation cuts off what an earlier journal in the same place left: a block
// that the superblock does not vouch for and that is older than one before it,
// and all above. It returns the index of that block's span, or -1.
func (a *analysis) generation(live []int, next uint64) (rest []int, stale int) {
	newest := uint64(0)
	for k, i := range live {
		s := &a.spans[i]
		if !s.timed() {
			continue
		}
		if s.seq >= next && s.time < newest {
			return live[:k], i
		}
		newest = max(newest, s.time)
	}
	return live, -1
}

// frame sets the window and collects its items from the blocks at home and,
// where one is missing, from their neighbours.
func (a *analysis) frame(live []int, last uint64) {
	n := a.area.ring
	a.Last, a.First, a.Lapped = last, 1, last > n
	if a.Lapped {
		a.First = last - n + 1
	}
	tail, torn := a.torn(last)
	if torn && last-a.First+1 == n {
		// The write that was cut short took the place of the oldest block.
		a.First, a.Lapped = a.First+1, true
	}
	a.collect(live)
	if torn {
		a.items = append(a.items, tail)
	}
}

// torn looks for the write that was cut short after the last block.
func (a *analysis) torn(last uint64) (item, bool) {
	if last >= maxSequence {
		return item{}, false
	}
	pos := a.home(last + 1)
	i := a.spanAt(pos)
	if i < 0 || a.spans[i].state != badSum || a.spans[i].seq != last+1 {
		return item{}, false
	}
	return item{seq: last + 1, n: 1, pos: pos, span: i, loss: lostChecksum, tail: true, txn: -1}, true
}

// spanAt returns the span that holds a slot, or -1.
func (a *analysis) spanAt(pos int64) int32 {
	i := sort.Search(len(a.spans), func(i int) bool { return a.spans[i].pos+a.spans[i].n > pos })
	if i == len(a.spans) || pos < a.spans[i].pos {
		return -1
	}
	return int32(i)
}
