package jbd2

import (
	"slices"
	"sort"
	"sync"
)

// revocation is a revoked block with the tid that revokes it.
type revocation struct {
	block uint64
	tid   uint32
}

// revokes answers whether a block is revoked. It is asked only about blocks
// that turned out to be damaged, so the table is made at the first question.
type revokes struct {
	once sync.Once
	// table is sorted by block and tid. It holds all revocations of the live
	// log, or as many as maxRevocations.
	table []revocation
	whole bool

	mu    sync.Mutex
	walks int
}

const (
	maxRevocations = 1 << 20 // 16 MiB
	// maxWalks bounds how often the log is searched for one block, when the
	// table does not hold all revocations.
	maxWalks = 64
)

// isRevoked says whether a copy of block logged in tid is cancelled within the
// live log. Where a hostile log makes that too dear to find out, it is not.
func (j *Journal) isRevoked(l *live, block uint64, tid uint32) bool {
	r := &j.revokes
	r.once.Do(func() { r.table, r.whole = j.collectRevokes(l) })
	i := sort.Search(len(r.table), func(i int) bool {
		x := r.table[i]
		return x.block > block || x.block == block && notBefore(x.tid, tid)
	})
	if i < len(r.table) && r.table[i].block == block {
		return true
	}
	if r.whole {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.walks++; r.walks > maxWalks {
		return false
	}
	return j.searchRevokes(l, block, tid)
}

func (j *Journal) collectRevokes(l *live) (table []revocation, whole bool) {
	whole = true
	j.headers(l, func(h header, _ uint32, b []byte) bool {
		if h.typ == typeRevoke {
			j.geo.eachRevoke(b, func(block uint64) {
				if len(table) < maxRevocations {
					table = append(table, revocation{block, h.tid})
				} else {
					whole = false
				}
			})
		}
		return whole
	})
	slices.SortFunc(table, func(a, b revocation) int {
		switch {
		case a.block < b.block:
			return -1
		case a.block > b.block:
			return 1
		}
		return int(int32(a.tid - b.tid))
	})
	return table, whole
}

// searchRevokes goes through the log for one block.
func (j *Journal) searchRevokes(l *live, block uint64, tid uint32) (found bool) {
	j.headers(l, func(h header, _ uint32, b []byte) bool {
		if h.typ == typeRevoke && notBefore(h.tid, tid) {
			j.geo.eachRevoke(b, func(x uint64) { found = found || x == block })
		}
		return !found
	})
	return found
}
