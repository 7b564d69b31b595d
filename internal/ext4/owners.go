package ext4

import (
	"cmp"
	"container/heap"
	"slices"
	"sort"
)

// run says that n blocks from start on belong to an inode, from its logical
// block on. seq orders what was learned; later is truer.
type run struct {
	start          uint64
	inode, logical uint32
	seq            uint32
	n              uint16
	kind           kind
}

func (r *run) end() uint64 { return r.start + uint64(r.n) }

// node is a block that points to others: of an extent tree or a block map.
type node struct {
	inode, logical uint32
	sum            uint32 // of the contents that were read last
	level          uint8  // depth of an extent node; 1 to 3 for indirect blocks
	data           kind   // what the blocks below it are
	extents, read  bool
}

// identity is what is remembered of an inode.
type identity struct {
	sum        uint32 // of the parts that say which blocks it owns
	generation uint32
}

// Bounds on owners: together some 20 MiB.
const (
	maxOwnerRuns   = 1 << 18
	maxOwnerNodes  = 1 << 16
	maxOwnerInodes = 1 << 17
)

// owners knows which inode owns which blocks.
type owners struct {
	s       *Super
	journal uint32 // the journal's inode
	list    []run  // in the order learned; once flattened, sorted and without overlap
	full    bool
	seq     uint32
	nodes   map[uint64]node
	inodes  map[uint32]identity
}

func newOwners(s *Super, journal uint32) *owners {
	return &owners{s: s, journal: journal, nodes: map[uint64]node{}, inodes: map[uint32]identity{}}
}

// add notes one run; contiguous ones are joined.
func (o *owners) add(r run) {
	if o.full {
		return
	}
	if k := len(o.list) - 1; k >= 0 && r.follows(&o.list[k]) {
		o.list[k].n += r.n
		return
	}
	if len(o.list) >= maxOwnerRuns {
		if o.flatten(); len(o.list) > maxOwnerRuns*3/4 {
			o.full = true
			return
		}
	}
	o.seq++
	r.seq = o.seq
	o.list = append(o.list, r)
}

// follows says whether r continues p.
func (r *run) follows(p *run) bool {
	return r.start == p.end() && r.inode == p.inode && r.kind == p.kind && r.logical == p.logical+uint32(p.n) && int(p.n)+int(r.n) < 1<<16
}

// find returns the part, from a block on, of the run that holds it. The list
// must be flattened.
func (o *owners) find(block uint64) (part run, ok bool) {
	i := sort.Search(len(o.list), func(i int) bool { return o.list[i].start > block }) - 1
	if i < 0 || block >= o.list[i].end() {
		return run{}, false
	}
	return o.list[i].from(block), true
}

// from cuts off what of a run lies before a block.
func (r run) from(block uint64) run {
	skip := block - r.start
	r.start, r.n, r.logical = block, r.n-uint16(skip), r.logical+uint32(skip)
	return r
}

// flatten sorts the runs and lets later ones cover earlier ones.
func (o *owners) flatten() {
	slices.SortFunc(o.list, func(a, b run) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.seq, b.seq)) })
	o.list = flattened(o.list)
}

// flattened sweeps over sorted runs: at each place the latest of the runs that
// cover it counts.
func flattened(in []run) []run {
	out := make([]run, 0, len(in))
	var open latest
	pos := uint64(0)
	for len(in) > 0 || len(open) > 0 {
		if len(open) == 0 {
			if alone := len(in) == 1 || in[0].end() <= in[1].start; alone {
				out = append(out, in[0]) // nearly all of them
				in = in[1:]
				continue
			}
			pos = in[0].start
		}
		for len(in) > 0 && in[0].start <= pos {
			heap.Push(&open, in[0])
			in = in[1:]
		}
		top := open[0]
		if top.end() <= pos {
			heap.Pop(&open)
			continue
		}
		end := top.end()
		if len(in) > 0 {
			end = min(end, in[0].start)
		}
		part := top.from(pos)
		part.n = uint16(end - pos)
		if k := len(out) - 1; k >= 0 && part.seq == out[k].seq && part.follows(&out[k]) {
			out[k].n += part.n
		} else {
			out = append(out, part)
		}
		pos = end
	}
	return slices.Clip(out)
}

// latest is a heap of runs, the latest on top.
type latest []run

func (h latest) Len() int           { return len(h) }
func (h latest) Less(i, j int) bool { return h[i].seq > h[j].seq }
func (h latest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *latest) Push(x any)        { *h = append(*h, x.(run)) }
func (h *latest) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// unread lists the blocks of pointers that nobody has looked into, in order.
func (o *owners) unread() []uint64 {
	var out []uint64
	for block, n := range o.nodes {
		if !n.read {
			out = append(out, block)
		}
	}
	slices.Sort(out)
	return out
}
