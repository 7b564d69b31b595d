package partition

import (
	"errors"
	"hash/crc32"
	"unicode/utf16"

	"github.com/vexfs/vexctl/internal/format"
)

// Bounds on what a header may claim.
const (
	minHeader  = 92
	minEntry   = 128
	maxEntry   = 4096
	maxEntries = 1 << 20 // bytes of all entries
)

// errNoGPT: nothing says that there is a GPT here.
var errNoGPT = errors.New("no GPT")

// header is what of a GPT header is needed.
type header struct {
	sector, other int64
	at            int64 // sector of the entries
	count, size   int
	sum           uint32 // of the entries
}

// findGPT tries the primary header, the one that it names as its other, and
// the one at the end, for both sizes of sectors. When there were headers and
// none could be used the error is [format.ErrCorrupt].
func findGPT(src format.Source) ([]Partition, error) {
	failed := errNoGPT
	for _, sector := range []int64{512, 4096} {
		tried := map[int64]bool{}
		for queue := []int64{1, src.Size()/sector - 1}; len(queue) > 0; queue = queue[1:] {
			at := queue[0]
			if tried[at] || at < 1 {
				continue
			}
			tried[at] = true
			h, err := readHeader(src, at, sector)
			if err == nil {
				if len(tried) < 4 {
					queue = append(queue, h.other)
				}
				var parts []Partition
				if parts, err = h.list(src); err == nil {
					return parts, nil
				}
			}
			if errors.Is(err, format.ErrCorrupt) {
				failed = err
			}
		}
	}
	return nil, failed
}

// readHeader reads a header. [format.ErrCorrupt] means that there was one.
func readHeader(src format.Source, at, sector int64) (h header, err error) {
	b, err := read(src, at*sector, int(sector))
	if err != nil || string(b[:8]) != "EFI PART" {
		return h, errNoGPT
	}
	size := int64(le.Uint32(b[12:]))
	if size < minHeader || size > sector {
		return h, format.ErrCorrupt
	}
	stored := le.Uint32(b[16:])
	clear(b[16:20])
	h = header{sector: sector, other: int64(le.Uint64(b[32:])), at: int64(le.Uint64(b[72:])),
		count: int(le.Uint32(b[80:])), size: int(le.Uint32(b[84:])), sum: le.Uint32(b[88:])}
	if crc32.ChecksumIEEE(b[:size]) != stored || int64(le.Uint64(b[24:])) != at {
		return h, format.ErrCorrupt
	}
	return h, nil
}

// list reads the entries.
func (h *header) list(src format.Source) ([]Partition, error) {
	if h.size < minEntry || h.size > maxEntry || h.count < 1 || h.count > maxEntries/h.size || h.at < 2 || h.at > src.Size()/h.sector {
		return nil, format.ErrCorrupt
	}
	b, err := read(src, h.at*h.sector, h.count*h.size)
	if err != nil || crc32.ChecksumIEEE(b) != h.sum {
		return nil, format.ErrCorrupt
	}
	out := []Partition{}
	for i := range h.count {
		e := b[i*h.size : (i+1)*h.size]
		if !format.IsZero(e[:16]) {
			out = append(out, h.partition(i+1, e).fit(src))
		}
	}
	return out, nil
}

func (h *header) partition(number int, e []byte) Partition {
	first, last := le.Uint64(e[32:]), le.Uint64(e[40:])
	p := Partition{Number: number, Type: gptType(e[:16]), Name: name(e[56:128]), Scheme: "gpt"}
	// Sectors beyond what an int64 of bytes can count are beyond the source.
	const most = 1 << 50
	if first > most || last > most || last < first {
		p.Start, p.Length = most, most
		return p
	}
	p.Start, p.Length = int64(first)*h.sector, int64(last-first+1)*h.sector
	return p
}

// name decodes UTF-16 up to the first zero.
func name(b []byte) string {
	var u []uint16
	for ; len(b) >= 2; b = b[2:] {
		c := le.Uint16(b)
		if c == 0 {
			break
		}
		u = append(u, c)
	}
	return string(utf16.Decode(u))
}
