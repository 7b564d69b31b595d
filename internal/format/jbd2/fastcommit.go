package jbd2

import (
	"encoding/binary"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// The fast-commit area holds tag-length-value units, little-endian, that never
// cross a block:
//
//	0  2  tag
//	2  2  length of the value
//	4  .  value
//
// A fast commit is a run of units up to and with a TAIL, whose length fills
// its block. The area's first unit is a HEAD, which names the tid that all
// fast commits in it follow. The TAIL's checksum covers the commit's units
// (the HEAD's included) and the TAIL's own header and tid; its register starts
// at zero.
var le = binary.LittleEndian

const (
	fcAddRange = 1 // u32 inode, 12-byte extent
	fcDelRange = 2 // u32 inode, u32 first block, u32 count
	fcCreat    = 3 // u32 parent, u32 inode, name
	fcLink     = 4 // as CREAT
	fcUnlink   = 5 // as CREAT
	fcInode    = 6 // u32 inode, raw inode
	fcPad      = 7 // anything
	fcTail     = 8 // u32 tid, u32 checksum
	fcHead     = 9 // u32 features, u32 tid
	fcUnitHead = 4 // tag and length
	fcMaxName  = 255
)

var fcNames = [...]string{"", "add_range", "del_range", "creat", "link", "unlink", "inode", "pad", "tail", "head"}

// unit is one tag of the fast-commit area.
type unit struct {
	tag   uint16
	at    int // within its block
	size  int // header and value
	value []byte
}

// parseUnit reads the unit at byte at of block b. ok is false for what the
// kernel does not accept there.
func parseUnit(b []byte, at int) (u unit, ok bool) {
	if at+fcUnitHead > len(b) {
		return unit{}, false
	}
	u = unit{tag: le.Uint16(b[at:]), at: at, size: fcUnitHead + int(le.Uint16(b[at+2:]))}
	if u.tag == fcTail {
		u.size = min(u.size, len(b)-at)
	}
	if at+u.size > len(b) {
		return u, false
	}
	u.value = b[at+fcUnitHead : at+u.size]
	n := len(u.value)
	switch u.tag {
	case fcAddRange:
		ok = n == 16
	case fcDelRange:
		ok = n == 12
	case fcCreat, fcLink, fcUnlink:
		ok = n >= 8 && n-8 <= fcMaxName
	case fcInode:
		ok = n >= 4+128
	case fcHead:
		ok = n == 8
	case fcTail:
		ok = n >= 8
	case fcPad:
		ok = true
	}
	return u, ok
}

// fastCommits is what a look at the area finds out.
type fastCommits struct {
	commits int   // that the kernel would replay
	end     int64 // bytes of the area up to the last of them
	tornEnd int64 // end of the unfinished one after it
	faults  []format.Fault
	refusal string
}

// fcReader goes through the area a block at a time.
type fcReader struct {
	j    *Journal
	w    *format.Window
	crc  uint32
	from int64 // byte of the area where the current fast commit began
	// budget is how many more bytes may be summed. Looking for commits behind
	// damage starts at each block, and a hostile area could make every start
	// run to its end.
	budget int64
}

// fcBudget is plenty for a real area, which is summed about twice.
const fcBudget = 64 << 20

func (j *Journal) fcSize() int64 { return j.geo.off(j.geo.fcEnd) - j.geo.off(j.geo.fcFirst) }

// fcState is how a run of units ended.
type fcState uint8

const (
	fcGood    fcState = iota // a TAIL with the right tid and checksum
	fcOther                  // a TAIL with another tid
	fcBadSum                 // a TAIL with the right tid and a wrong checksum
	fcBroken                 // something that is no unit
	fcNothing                // zeros, or the end of the area
)

// next reads one fast commit from byte pos of the area, and returns how it
// ended, where, and the fault that its checksum makes.
func (r *fcReader) next(pos int64, tid uint32) (state fcState, end int64, fault *format.Fault) {
	r.crc, r.from = 0, pos
	bs := int64(r.j.geo.blockSize)
	var summed []byte // for naming a flipped bit; bounded by what a commit may hold
	for pos < r.j.fcSize() && r.budget > 0 {
		b, err := r.w.At(r.j.geo.off(r.j.geo.fcFirst)+pos/bs*bs, int(bs))
		if err != nil {
			return fcBroken, pos, nil
		}
		at := int(pos % bs)
		u, ok := parseUnit(b, at)
		r.budget -= int64(u.size) + fcUnitHead
		if !ok {
			if at+2 > len(b) || u.tag == 0 && pos == r.from {
				return fcNothing, pos, nil
			}
			return fcBroken, pos, nil
		}
		if u.tag == fcTail {
			state, fault = r.tail(b, u, tid, pos, summed)
			return state, pos + int64(u.size), fault
		}
		r.crc = crc32c(r.crc, b[at:at+u.size])
		if len(summed) < 1<<20 {
			summed = append(summed, b[at:at+u.size]...)
		}
		pos += int64(u.size)
		if left := bs - pos%bs; left < fcUnitHead {
			pos += left
		}
	}
	return fcNothing, pos, nil
}

func (r *fcReader) tail(b []byte, u unit, tid uint32, pos int64, summed []byte) (fcState, *format.Fault) {
	r.crc = crc32c(r.crc, b[u.at:u.at+fcUnitHead+4])
	stored := le.Uint32(u.value[4:])
	switch {
	case le.Uint32(u.value) != tid:
		if stored != r.crc {
			return fcBroken, nil
		}
		return fcOther, nil
	case stored == r.crc:
		return fcGood, nil
	}
	area := r.j.geo.off(r.j.geo.fcFirst)
	f := r.j.faultAt(CodeFastCommitTorn, area+r.from, pos+int64(u.size)-r.from, "the fast commit's checksum is wrong")
	summed = append(summed, b[u.at:u.at+fcUnitHead+4]...)
	f.Sums(uint64(stored), uint64(r.crc), 4)
	if int64(len(summed)) == pos+fcUnitHead+4-r.from {
		f.Flip(castagnoli, summed, len(summed), le, r.crc, stored)
	}
	return fcBadSum, f
}

// lookFast goes through the fast-commit area as the kernel's scan does, and
// then beyond the point where that stops. tid is the end of the main log.
func (j *Journal) lookFast(tid uint32, empty bool) fastCommits {
	var fc fastCommits
	if j.fcSize() <= 0 || empty {
		return fc
	}
	r := &fcReader{j: j, w: format.NewWindow(j.src, 1<<16), budget: fcBudget + 4*j.fcSize()}
	headTid, headOK, outdated := r.head(tid)
	if outdated && !r.lost(0, tid) {
		if headOK {
			f := j.fault(CodeFastCommitStale, j.geo.fcFirst, 1, fmt.Sprintf("the fast commits follow transaction %d, the log ends before %d: nothing to replay in them", headTid-1, tid))
			fc.faults = append(fc.faults, *f)
		}
		return fc
	}
	pos, state, fault := int64(0), fcGood, (*format.Fault)(nil)
	for !outdated {
		var end int64
		state, end, fault = r.next(pos, tid)
		if state != fcGood {
			break
		}
		fc.commits++
		pos, fc.end, fc.tornEnd = end, end, end
	}
	j.judgeFast(&fc, r, tid, pos, state, fault)
	return fc
}

// head reads the area's HEAD. outdated says that the kernel finds nothing to
// do there.
func (r *fcReader) head(tid uint32) (headTid uint32, ok, outdated bool) {
	b, err := r.w.At(r.j.geo.off(r.j.geo.fcFirst), r.j.geo.blockSize)
	if err != nil {
		return 0, false, false
	}
	u, ok := parseUnit(b, 0)
	if !ok || u.tag != fcHead {
		return 0, false, true
	}
	headTid = le.Uint32(u.value[4:])
	return headTid, true, headTid != tid
}

// lost says whether a good fast commit of tid begins at a block after byte pos
// of the area.
func (r *fcReader) lost(pos int64, tid uint32) bool {
	bs := int64(r.j.geo.blockSize)
	for pos = pos/bs*bs + bs; pos < r.j.fcSize() && r.budget > 0; pos += bs {
		if state, _, _ := r.next(pos, tid); state == fcGood {
			return true
		}
	}
	return false
}

// judgeFast explains why the run of good fast commits ended at pos.
func (j *Journal) judgeFast(fc *fastCommits, r *fcReader, tid uint32, pos int64, state fcState, fault *format.Fault) {
	if state == fcNothing && fc.commits > 0 && !r.lost(pos-1, tid) || state == fcOther {
		return
	}
	off := j.geo.off(j.geo.fcFirst) + pos
	if fault == nil {
		left := int64(j.geo.blockSize) - pos%int64(j.geo.blockSize)
		fault = j.faultAt(CodeFastCommitTorn, off, left, "there is no fast commit here that can be read")
	}
	fault.SetSeq(uint64(tid))
	fc.tornEnd = pos + fault.Length
	switch {
	case fc.commits == 0:
		fault.Code = CodeFastCommit
		fault.Message += "; it is the first, so the kernel refuses the journal"
		fc.refusal = "the first fast commit is damaged"
	case r.lost(fc.tornEnd-1, tid):
		fault.Code = CodeFastCommitLost
		fault.Message += "; valid fast commits follow it, and the kernel drops them without a word"
	case state == fcBroken && !j.unfinished(r, pos, tid):
		return
	}
	fc.faults = append(fc.faults, *fault)
}

// unfinished says whether what begins at pos of the area is a fast commit of
// tid cut short, and not the rest of an older one that newer ones overwrote.
func (j *Journal) unfinished(r *fcReader, pos int64, tid uint32) bool {
	bs := int64(j.geo.blockSize)
	start := pos
	for pos < j.fcSize() {
		b, err := r.w.At(j.geo.off(j.geo.fcFirst)+pos/bs*bs, int(bs))
		if err != nil {
			return true
		}
		u, ok := parseUnit(b, int(pos%bs))
		if !ok {
			// What is left of an older one still has its TAIL.
			return u.tag != 0 || pos > start
		}
		if u.tag == fcTail {
			return le.Uint32(u.value) == tid
		}
		pos += int64(u.size)
		if left := bs - pos%bs; left < fcUnitHead {
			pos += left
		}
	}
	return true
}

// unitFields decodes a unit.
func unitFields(f *format.Fields, b []byte, u unit) {
	l := format.Layout{B: b[u.at : u.at+u.size], Order: le, Fields: f}
	f.Str("tag", 0, 2, fcNames[u.tag])
	f.Uint("len", 2, 2, uint64(u.size-fcUnitHead))
	switch u.tag {
	case fcAddRange:
		l.U32("inode", 4)
		l.U32("logical_block", 8)
		rangeFields(f, u.value[8:])
	case fcDelRange:
		l.U32("inode", 4)
		l.U32("logical_block", 8)
		l.U32("count", 12)
	case fcCreat, fcLink, fcUnlink:
		l.U32("parent_inode", 4)
		l.U32("inode", 8)
		f.Str("name", 12, u.size-12, string(u.value[8:]))
	case fcInode:
		inodeFields(f, l)
	case fcTail:
		l.U32("tid", 4)
		l.X32("checksum", 8)
	case fcHead:
		l.X32("features", 4)
		l.U32("tid", 8)
	}
}

// rangeFields decodes what is left of an on-disk extent after its first block.
func rangeFields(f *format.Fields, b []byte) {
	n := uint64(le.Uint16(b))
	unwritten := n > 32768
	if unwritten {
		n -= 32768
	}
	f.Uint("count", 12, 2, n)
	f.Bool("unwritten", 12, 2, unwritten)
	f.Uint("block", 14, 6, uint64(le.Uint16(b[2:]))<<32|uint64(le.Uint32(b[4:])))
}

// inodeFields decodes the parts of a raw inode that people ask for.
func inodeFields(f *format.Fields, l format.Layout) {
	l.U32("inode", 4)
	const raw = 8
	l.U16("mode", raw)
	l.U16("links", raw+26)
	f.Uint("size", raw+4, 4, uint64(le.Uint32(l.B[raw+4:]))|uint64(le.Uint32(l.B[raw+108:]))<<32)
	f.Uint("uid", raw+2, 2, uint64(le.Uint16(l.B[raw+2:]))|uint64(le.Uint16(l.B[raw+120:]))<<16)
	f.Uint("gid", raw+24, 2, uint64(le.Uint16(l.B[raw+24:]))|uint64(le.Uint16(l.B[raw+122:]))<<16)
	f.Seconds("mtime", raw+16, 4, uint64(le.Uint32(l.B[raw+16:])))
	l.X32("flags", raw+32)
}
