package ext4

import "github.com/vexfs/vexctl/internal/format"

// maxRuns bounds the fragments of a journal that are kept. A journal of the
// largest size in use, mapped block by block, has fewer.
const maxRuns = 1 << 21

// runs collects a file's map in logical order and joins what is contiguous.
type runs struct {
	list   []format.Extent // in bytes
	size   int             // of a block
	limit  uint64          // logical blocks that matter
	next   uint64          // the first logical block not yet mapped
	mapped uint64          // blocks that are not holes
}

// add maps n blocks from logical on. What lies beyond the limit is dropped. It
// reports false for what is already mapped, and when there are too many runs.
func (r *runs) add(logical, physical, n uint64) bool {
	if logical < r.next || len(r.list) >= maxRuns {
		return false
	}
	if logical >= r.limit {
		return true
	}
	n = min(n, r.limit-logical)
	r.hole(logical)
	r.append(int64(physical)*int64(r.size), n)
	r.mapped += n
	return true
}

// hole leaves everything up to a logical block unmapped.
func (r *runs) hole(logical uint64) {
	if logical = min(logical, r.limit); logical > r.next {
		r.append(-1, logical-r.next)
	}
}

func (r *runs) append(from int64, n uint64) {
	length := int64(n) * int64(r.size)
	at := int64(r.next) * int64(r.size)
	r.next += n
	if k := len(r.list) - 1; k >= 0 {
		last := &r.list[k]
		if from < 0 && last.From < 0 || from >= 0 && last.From >= 0 && last.From+last.Length == from {
			last.Length += length
			return
		}
	}
	r.list = append(r.list, format.Extent{At: at, From: from, Length: length})
}

// done fills the rest of the file with a hole and returns the map.
func (r *runs) done() []format.Extent {
	r.hole(r.limit)
	return r.list
}
