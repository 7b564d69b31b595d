package vexf

import (
	"testing"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/formattest"
)

// samples are small journals of every shape: plain, lapped, with every type of
// block, torn, left over from before, and cut out of a device.
func samples(t testing.TB) []formattest.Sample {
	plain := beginRing(t, V1, 4)
	plain.txn(100, 101)
	must(t, plain.w.Revoke([]uint64{100}))
	plain.sync()

	lapped := begin(t, V1)
	for i := range uint64(7) {
		lapped.txn(i, i+1)
	}
	lapped.sync()

	full := begin(t, ModeJournal)
	must(t, full.w.Force())
	full.logged(100, 101)
	must(t, full.w.Checkpoint(), full.w.Barrier(1), full.w.Revoke([]uint64{100}), full.w.Force())

	torn := begin(t, ModeJournal)
	torn.logged(100)
	torn.sync()
	torn.logged(101)
	clear(torn.ring(6))

	again := begin(t, V1)
	again.txn(1)
	again.txn(2)
	again.clock -= 100
	must(t, again.w.Create())
	again.txn(3)

	return []formattest.Sample{
		{Name: "plain", Bytes: plain.d, Guarded: plain.guarded(1), Flips: 5},
		{Name: "lapped", Bytes: lapped.d, Guarded: lapped.guarded(7), Flips: 7, Cuts: 3},
		{Name: "full", Bytes: full.d, Guarded: full.guarded(2), Flips: 3, Cuts: 3},
		{Name: "torn", Bytes: torn.d, Faults: []string{CodeTxnTornTail}, Flips: 5, Cuts: 5},
		{Name: "again", Bytes: again.d, Flips: 7, Cuts: 7},
		{Name: "cut out", Bytes: plain.d[2*512:], Flips: 11, Cuts: 11},
	}
}

// guarded says which bytes a sum covers that a reader can check: those of the
// live blocks without the last four and, in version 2, the superblock's up to
// its SHA-256. A superblock that is no longer recognised raises no fault, and
// without its mode it has no SHA-256. Only every stride-th byte is tried.
func (j *journal) guarded(stride int) func(off int) bool {
	size, start := int(j.g.BlockSize), int(j.g.StartBlock)
	live := int(min(j.w.Sequence()-1, j.g.TotalBlocks-1))
	return func(off int) bool {
		if off%stride != 0 {
			return false
		}
		block, in := off/size, off%size
		if block == start {
			mode := in >= extJournalMode && in < extConcurrentTrans
			return j.g.Mode != V1 && in >= sbStartBlock && in < extSHA256 && !mode
		}
		return block > start && block <= start+live && in < size-sumTail
	}
}

func TestConformance(t *testing.T) {
	formattest.Run(t, Format, samples(t))
}

func FuzzFormat(f *testing.F) {
	formattest.Fuzz(f, Format, samples(f), mend)
}

// mend makes the sums of everything that looks like a block right again.
func mend(b []byte) {
	const size = 512
	for off := 0; off+size <= len(b); off += size {
		block := b[off : off+size]
		if !isLogBlock(block) {
			continue
		}
		t := readHeader(block).Type
		if t == TypeCheckpoint || t == TypeBarrier {
			sum := structSHA(block, shaEnd(t))
			copy(block[hdrSHA256:], sum[:])
		}
		le.PutUint32(block[hdrChecksum:], blockSum(block))
	}
}

func TestMemory(t *testing.T) {
	j := beginRing(t, V1, 20000)
	for i := range uint64(9000) {
		j.txn(i)
	}
	formattest.Memory(t, Format, format.NewBytes("large", j.d), 16<<20)
}
