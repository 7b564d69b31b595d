package vexf

import (
	"cmp"
	"context"
	"slices"
)

// copied is a logged block of a committed transaction, in replay order.
type copied struct {
	item, txn int
	revoked   bool
}

// replay lists the logged blocks of the committed transactions in the order of
// their commits, and says which of them a later revocation cancels.
func (a *analysis) replay(ctx context.Context) ([]copied, error) {
	var out []copied
	for _, n := range a.committed() {
		for _, i := range a.txns[n].data {
			out = append(out, copied{item: i, txn: n})
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	last, err := a.revocations(ctx, out)
	for k := range out {
		it := &a.items[out[k].item]
		out[k].revoked = last[a.spans[it.span].key] > it.seq
	}
	return out, err
}

// committed lists the committed transactions in the order of their commits.
func (a *analysis) committed() []int {
	var out []int
	for n := range a.txns {
		if a.txns[n].state == Committed {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(x, y int) int { return cmp.Compare(a.txns[x].commit, a.txns[y].commit) })
	return out
}

// revocations returns, for each home block among the copies, the highest
// sequence that revokes it. Other revoked blocks are of no interest here, and
// there may be very many.
func (a *analysis) revocations(ctx context.Context, copies []copied) (map[uint64]uint64, error) {
	last := map[uint64]uint64{}
	for _, c := range copies {
		last[a.spans[a.items[c.item].span].key] = 0
	}
	w := window(a.j.src, int(a.area.size))
	for i := range a.items {
		it := &a.items[i]
		if !it.present() || a.spans[it.span].typ != TypeRevocation {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := w.At(a.area.off(it.pos), int(a.area.size))
		if err != nil {
			continue
		}
		list := listBytes(b, revokeBlocks, le.Uint32(b[revokeCount:]))
		for k := 0; k < len(list); k += 8 {
			if n := le.Uint64(list[k:]); inMap(last, n) {
				last[n] = max(last[n], it.seq)
			}
		}
	}
	return last, nil
}

func inMap(m map[uint64]uint64, k uint64) bool {
	_, ok := m[k]
	return ok
}

// pending counts the logged blocks that a recovery would write.
func (a *analysis) pending(ctx context.Context) (n int, err error) {
	copies, err := a.replay(ctx)
	for _, c := range copies {
		if !c.revoked {
			n++
		}
	}
	return n, err
}
