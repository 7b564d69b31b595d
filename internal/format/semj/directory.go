package semj

import (
	"context"
	"sort"
)

const (
	// maxMarks bounds the directory: 8 MiB of marks.
	maxMarks = 512 << 10
	// maxStrays bounds what is remembered of events out of order.
	maxStrays = 64 << 10
	// cacheSlots bounds the stretches that a finder keeps.
	cacheSlots = 4096
)

// mark is the first event of a stretch.
type mark struct {
	id  uint64
	off int64
}

// directory finds intact events by id. Ids rise, so it is enough to mark the
// first of every so many events: the others lie between two marks. When there
// are too many marks, every second one goes. An event whose id does not rise
// can't be found that way; such strays are damage, and listed one by one up to
// a limit.
type directory struct {
	marks []mark
	per   int // events a mark stands for
	fill  int // events since the last mark
	top   uint64
	end   int64 // first byte after the last event
	stray map[uint64]int64
	// vague says that there were too many strays, so that an event that is not
	// found may exist all the same.
	vague bool
}

// add notes the next intact event, which lies in [off, end).
func (d *directory) add(s stamp, off, end int64) {
	d.end = end
	if len(d.marks) > 0 && s.id <= d.top {
		d.addStray(s)
		return
	}
	d.top = s.id
	if d.per == 0 {
		d.per = 1
	}
	if d.fill--; d.fill > 0 {
		return
	}
	d.fill = d.per
	d.marks = append(d.marks, mark{s.id, off})
	if len(d.marks) >= maxMarks {
		d.thin()
	}
}

func (d *directory) addStray(s stamp) {
	if len(d.stray) >= maxStrays {
		d.vague = true
		return
	}
	if d.stray == nil {
		d.stray = map[uint64]int64{}
	}
	if _, ok := d.stray[s.id]; !ok {
		d.stray[s.id] = s.ktime
	}
}

// thin drops every second mark. The last one stays when their number is odd.
func (d *directory) thin() {
	n := 0
	for i := 0; i < len(d.marks); i += 2 {
		d.marks[n] = d.marks[i]
		n++
	}
	if len(d.marks)%2 == 1 {
		d.fill += d.per
	}
	d.marks = d.marks[:n]
	d.per *= 2
}

// finder looks events up in a directory and keeps the stretches it read.
type finder struct {
	ctx   context.Context
	body  body
	dir   *directory
	cache [cacheSlots]struct {
		stretch int // number + 1
		events  []stamp
	}
}

// answer is the result of a look-up.
type answer uint8

const (
	absent  answer = iota
	present        // and its time is known
	perhaps        // nobody can tell
)

// find looks for an intact event with the given id.
func (f *finder) find(id uint64) (ktime int64, a answer, err error) {
	if t, ok := f.dir.stray[id]; ok {
		return t, present, nil
	}
	n := sort.Search(len(f.dir.marks), func(i int) bool { return f.dir.marks[i].id > id }) - 1
	if n >= 0 && id <= f.dir.top {
		events, err := f.stretch(n)
		if err != nil {
			return 0, absent, err
		}
		i := sort.Search(len(events), func(i int) bool { return events[i].id >= id })
		if i < len(events) && events[i].id == id {
			return events[i].ktime, present, nil
		}
	}
	if f.dir.vague {
		return 0, perhaps, nil
	}
	return 0, absent, nil
}

// stretch returns the events of stretch n whose ids rise.
func (f *finder) stretch(n int) ([]stamp, error) {
	slot := &f.cache[n%cacheSlots]
	if slot.stretch == n+1 {
		return slot.events, nil
	}
	from, to := f.dir.marks[n].off, f.dir.end
	if n+1 < len(f.dir.marks) {
		to = f.dir.marks[n+1].off
	}
	slot.stretch, slot.events = 0, slot.events[:0]
	err := f.body.stamps(f.ctx, from, to, func(s stamp) {
		if k := len(slot.events); k == 0 || s.id > slot.events[k-1].id {
			slot.events = append(slot.events, s)
		}
	})
	if err == nil {
		slot.stretch = n + 1
	}
	return slot.events, err
}
