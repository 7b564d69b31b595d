package vexf

import (
	"reflect"
	"slices"
	"testing"
)

// replayed lists what a recovery writes: transaction, target, and whether it
// is revoked.
func replayed(l *Log) (out [][3]uint64) {
	for _, s := range l.Replay {
		row := [3]uint64{s.TransactionID, s.Target}
		if s.Revoked {
			row[2] = 1
		}
		out = append(out, row)
	}
	return out
}

func TestReplay(t *testing.T) {
	j := beginRing(t, ModeJournal, 64)
	j.logged(10, 11)
	must(t, j.w.Revoke([]uint64{10}))
	j.logged(10)
	aborted := j.w.Begin(OpWrite)
	aborted.LogBlock(12, nil)
	must(t, aborted.Abort(), j.w.Force())
	l := logOf(t, j.d, false)
	if want := [][3]uint64{{1, 10, 1}, {1, 11, 0}, {2, 10, 0}}; !reflect.DeepEqual(replayed(l), want) {
		t.Errorf("replay %v, want %v", replayed(l), want)
	}
	if l.Replay[0].Bytes != 512-88 || l.Version != 2 {
		t.Errorf("%d bytes, version %d", l.Replay[0].Bytes, l.Version)
	}
}

// Two threads write at once: the ids rise, the commits come the other way
// around, and the logged blocks go to whichever descriptor is next.
func TestInterleaved(t *testing.T) {
	j := beginRing(t, ModeJournal, 64)
	data := func(n uint64) *DataBlock {
		return &DataBlock{OriginalBlock: n, DataSize: 512, Data: make([]byte, 512-88)}
	}
	for _, body := range []Body{
		data(1), &Descriptor{TransactionID: 1, BlockCount: 1, Blocks: []uint64{1}}, data(2),
		&Descriptor{TransactionID: 2, BlockCount: 1, Blocks: []uint64{2}}, commitOf(2, 2), commitOf(1, 1),
	} {
		must(t, j.w.append(body))
	}
	must(t, j.w.Force())
	l := logOf(t, j.d, false)
	if want := [][3]uint64{{2, 2, 0}, {1, 1, 0}}; !reflect.DeepEqual(replayed(l), want) {
		t.Errorf("replay %v, want %v", replayed(l), want)
	}
	if len(l.Findings) > 0 {
		t.Errorf("findings %+v", l.Findings)
	}
}

// A lost block before a descriptor may have been data of its transaction,
// unless what is left of it says otherwise.
func TestDataSuspect(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(j *journal)
		want   []bool
	}{
		{"nothing lost", func(j *journal) {}, []bool{false, false}},
		{"data zeroed", func(j *journal) { clear(j.ring(5)) }, []bool{false, true}},
		{"data damaged", func(j *journal) { j.ring(5)[300] ^= 1 }, []bool{false, true}},
		{"checkpoint damaged", func(j *journal) { j.ring(4)[300] ^= 1 }, []bool{false, false}},
		{"checkpoint zeroed", func(j *journal) { clear(j.ring(4)) }, []bool{false, true}},
		{"first data lost", func(j *journal) { clear(j.ring(1)) }, []bool{true, false}},
		{"commit before lost", func(j *journal) { clear(j.ring(3)) }, []bool{false, true}},
	} {
		j := beginRing(t, ModeJournal, 64)
		j.logged(1)
		must(t, j.w.Checkpoint())
		j.logged(2)
		must(t, j.w.Force())
		c.damage(j)
		var got []bool
		for _, x := range logOf(t, j.d, false).Transactions {
			got = append(got, x.DataSuspect)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: suspect %v, want %v", c.name, got, c.want)
		}
	}
}

// A transaction id comes again after a mount. The one that was left open is
// not closed by the other's commit.
func TestIDComesAgain(t *testing.T) {
	j := beginRing(t, V1, 64)
	must(t, j.w.append(&Descriptor{TransactionID: 1, BlockCount: 1, Blocks: []uint64{9}, Timestamp: 1}))
	j.txn(5)
	j.sync()
	l := logOf(t, j.d, false)
	if len(l.Transactions) != 2 || l.Transactions[0].State != Uncommitted || l.Transactions[1].State != Committed {
		t.Errorf("transactions %+v", l.Transactions)
	}
}

// A cut inside a commit that leaves all that counts is a commit.
func TestCommitCutBehindItsEnd(t *testing.T) {
	j := begin(t, V1)
	j.txn(1, 2)
	clear(j.ring(2)[64:])
	if l := logOf(t, j.d, false); l.Transactions[0].State != Committed {
		t.Errorf("transactions %+v", l.Transactions)
	}
}

func TestWriterRefuses(t *testing.T) {
	for _, g := range []Geometry{{TotalBlocks: 1}, {TotalBlocks: 9, BlockSize: 1000}, {TotalBlocks: 9, Mode: 4}} {
		if _, err := NewWriter(device{}, g, fixedClock); err == nil {
			t.Errorf("geometry %+v was taken", g)
		}
	}
	j := begin(t, V1)
	x := j.w.Begin(OpWrite)
	x.AddBlock(make([]uint64, ListCapacity(512)+1)...)
	if x.Commit() == nil || j.w.Checkpoint() == nil || j.w.Barrier(1) == nil || j.w.Revoke(make([]uint64, 61)) == nil {
		t.Error("the writer took what does not fit")
	}
	must(t, x.Abort())
	if x.Commit() == nil || x.Abort() == nil {
		t.Error("a transaction ended twice")
	}
	if j.w.Sequence() != 1 {
		t.Errorf("the next sequence is %d", j.w.Sequence())
	}
}

// commitOf is the commit of a transaction with these blocks.
func commitOf(tid uint64, blocks ...uint64) *Commit {
	list := make([]byte, 8*len(blocks))
	putList(list, 0, blocks)
	return &Commit{TransactionID: tid, BlockCount: uint32(len(blocks)), ChecksumType: 1, ListChecksum: listSum(tid, list)}
}
