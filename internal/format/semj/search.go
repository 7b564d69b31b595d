package semj

import "bytes"

// The search may compute sums over creditFirst bytes, and over creditRate more
// for each byte of the region it has come past. Real journals never use it up:
// each of their events is summed once. Input made of overlapping headers that
// all look plausible does, and is then passed over without sums until enough
// bytes have gone by.
const (
	creditFirst = 1 << 20
	creditRate  = 64
)

// versionOne is what every event has at evVersion.
var versionOne = []byte{eventVersion, 0, 0, 0}

// chunkSize is how much the search looks through at a time. It is small beside
// the window, so that a search usually finds its bytes already read.
const chunkSize = 16 << 10

// search returns the first offset from on at which an event with the right sum
// starts, or where the region ends or stops being readable.
func (w *walker) search(from int64) (int64, error) {
	for at := from; at+EventSize <= w.end; {
		if err := w.ctx.Err(); err != nil {
			return at, err
		}
		chunk, err := w.win.At(at, int(min(chunkSize, w.end-at)))
		i, size := plausible(chunk, w.end-at)
		switch {
		case size > 0 && w.sound(at+int64(i), size):
			return at + int64(i), nil
		case size > 0:
			at += int64(i) + 1
		case err != nil:
			return at + int64(len(chunk)), nil
		default:
			at += int64(i)
		}
	}
	return w.end, nil
}

// plausible returns the index and size of the first event header in chunk that
// could be one, with room bytes from its start to the end of events. Without
// one, size is 0 and i is the first index that chunk is too short to judge.
func plausible(chunk []byte, room int64) (i, size int) {
	last := len(chunk) - EventSize
	for i = 0; i <= last; i++ {
		k := bytes.Index(chunk[i+evVersion:last+evVersion+len(versionOne)], versionOne)
		if k < 0 {
			break
		}
		i += k
		if n, why := measure(chunk[i:], room-int64(i)); why == taken {
			return i, n
		}
	}
	return max(last+1, 0), 0
}

// sound reports whether the event of the given size at off has the right sum.
func (w *walker) sound(off int64, size int) bool {
	if !w.afford(size, off) {
		return false
	}
	b, err := w.win.At(off, size)
	return err == nil && sumWithout(b, evSum) == le.Uint32(b[evSum:])
}

// afford books the work of one sum if the credit allows it.
func (w *walker) afford(size int, off int64) bool {
	if w.spent+int64(size) > creditFirst+creditRate*(off-w.start) {
		return false
	}
	w.spent += int64(size)
	return true
}
