package format

import (
	"io"
	"io/fs"
	"math"
	"sort"
)

// Extent maps part of a [View]: Length bytes at At of the view are the bytes at
// From of the base, or a hole when From is negative.
type Extent struct {
	At, From, Length int64
}

// View is a Source that is stitched together from extents of another, such as
// a journal inside a filesystem image. A hole reads as zeros. What an extent
// claims beyond the end of the base can't be read: [ErrTruncated].
type View struct {
	base    Source
	extents []Extent
	size    int64
}

// NewView returns a view of base. The extents are in order and cover
// [0, size) without gaps.
func NewView(base Source, extents []Extent, size int64) *View {
	return &View{base, extents, size}
}

// Section returns the view of n bytes at off of base.
func Section(base Source, off, n int64) *View {
	return NewView(base, []Extent{{0, off, n}}, n)
}

// Extents returns the map. It must not be changed.
func (v *View) Extents() []Extent { return v.extents }

// Base returns the Source that the view maps.
func (v *View) Base() Source { return v.base }

func (v *View) find(off int64) int {
	return sort.Search(len(v.extents), func(i int) bool { return v.extents[i].At+v.extents[i].Length > off })
}

// ReadAt reads across extents. A read that an extent takes beyond the end of
// the base fails with [ErrTruncated].
func (v *View) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	for i := v.find(off); n < len(p) && i < len(v.extents); i++ {
		e := v.extents[i]
		skip := off + int64(n) - e.At
		part := p[n:]
		if rest := e.Length - skip; int64(len(part)) > rest {
			part = part[:rest]
		}
		if e.From < 0 {
			clear(part)
			n += len(part)
			continue
		}
		m, err := v.base.ReadAt(part, e.From+skip)
		n += m
		if m < len(part) {
			if err == nil || err == io.EOF {
				err = ErrTruncated
			}
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Size is in bytes.
func (v *View) Size() int64 { return v.size }

// Name is the base's.
func (v *View) Name() string { return v.base.Name() }

// Place implements [Placed].
func (v *View) Place(off int64) int64 {
	i := v.find(off)
	if off < 0 || i >= len(v.extents) || v.extents[i].From < 0 {
		return -1
	}
	return Place(v.base, v.extents[i].From+off-v.extents[i].At)
}

// NextData knows holes of the view and of its base.
func (v *View) NextData(off int64) int64 {
	for i := v.find(off); i < len(v.extents); i++ {
		e := v.extents[i]
		start := max(off, e.At)
		if e.From < 0 {
			continue
		}
		from := e.From + start - e.At
		if next := NextData(v.base, from); next < e.From+e.Length {
			return start + max(next-from, 0)
		}
	}
	return v.size
}

// Contiguous returns the first offset after off at which src stops being one
// contiguous piece of the file that the user named.
func Contiguous(src Source, off int64) int64 {
	v, ok := src.(*View)
	if !ok {
		return endAfter(src.Size(), off)
	}
	i := v.find(off)
	if i >= len(v.extents) {
		return endAfter(v.size, off)
	}
	e := v.extents[i]
	if e.From < 0 {
		return e.At + e.Length
	}
	inner := Contiguous(v.base, e.From+off-e.At)
	if rest := inner - e.From; rest < e.Length {
		return e.At + rest
	}
	return e.At + e.Length
}

// endAfter is the end of what off lies in: the source, or the emptiness behind
// it, which goes on for ever.
func endAfter(size, off int64) int64 {
	if off < size {
		return size
	}
	return math.MaxInt64
}

// Held returns the first offset of src, at or after 0, that its file is too
// short to hold, or its size when the file holds all of it.
func Held(src Source) int64 {
	v, ok := src.(*View)
	if !ok {
		return src.Size()
	}
	end := Held(v.base)
	for _, e := range v.extents {
		if e.From >= 0 && e.From+e.Length > end {
			return e.At + max(end-e.From, 0)
		}
	}
	return v.size
}
