package vexf

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vexfs/vexctl/internal/format"
)

func describe(t testing.TB, b []byte, salvage bool) *format.Info {
	t.Helper()
	j, err := Format.Find(context.Background(), format.NewBytes("journal", b), format.Options{Salvage: salvage})
	must(t, err)
	info, err := j.Describe(context.Background())
	must(t, err)
	return info
}

func TestDescribe(t *testing.T) {
	v1 := begin(t, V1)
	v1.txn(1)
	v1.txn(2)
	v1.sync()
	v2 := begin(t, ModeJournal)
	v2.logged(1)
	must(t, v2.w.Force())

	info := describe(t, v1.d, false)
	if info.Format != "vexf" || !slices.Equal(info.Variant, []string{"v1"}) || info.State != format.Clean || info.Place != "block 2 of a device" {
		t.Errorf("v1: %s %v %s %q", info.Format, info.Variant, info.State, info.Place)
	}
	if info.FirstSeq != 1 || info.LastSeq != 4 || info.Transactions.Committed != 2 {
		t.Errorf("v1: sequences %d to %d, %+v", info.FirstSeq, info.LastSeq, info.Transactions)
	}
	if info.FirstTime != 1700000000e9 || info.LastTime != 1700000001e9 {
		t.Errorf("v1: times %d to %d", info.FirstTime, info.LastTime)
	}
	info = describe(t, v2.d, false)
	if !slices.Equal(info.Variant, []string{"v2", "mode=journal"}) || info.State != format.Dirty {
		t.Errorf("v2: %v %s", info.Variant, info.State)
	}
	must(t, v2.w.Revoke([]uint64{1}), v2.w.Force())
	if info = describe(t, v2.d, false); info.State != format.Clean {
		t.Errorf("all logged blocks revoked: %s", info.State)
	}
	v2.ring(1)[100] ^= 1
	if info = describe(t, v2.d, false); info.State != format.Damaged {
		t.Errorf("a damaged block: %s", info.State)
	}
}

// The mark changes with everything that a writer can write.
func TestMark(t *testing.T) {
	j := begin(t, ModeJournal)
	seen := map[string]bool{}
	for i, write := range []func(){
		func() {}, func() { j.txn(1) }, func() { j.logged(2) }, func() { j.sync() },
		func() { must(t, j.w.Force()) }, func() { must(t, j.w.Checkpoint()) }, func() { must(t, j.w.Create()) },
	} {
		write()
		mark := describe(t, j.d, false).Mark
		if seen[mark] {
			t.Errorf("step %d left the mark alone", i)
		}
		seen[mark] = true
	}
}

func scan(t testing.TB, b []byte, s format.Scan) (out []*format.Record) {
	t.Helper()
	j, err := Format.Find(context.Background(), format.NewBytes("journal", b), format.Options{})
	must(t, err)
	for r, err := range j.Scan(context.Background(), s) {
		must(t, err)
		out = append(out, r.Clone())
	}
	return out
}

// In log order come the superblock, the log by sequence, and the rest.
func TestLogOrder(t *testing.T) {
	j := begin(t, V1)
	for i := range uint64(5) {
		j.txn(i)
	}
	must(t, j.w.Revoke([]uint64{3}))
	j.sync()
	records := scan(t, j.d, format.Scan{})
	if records[0].Kind != format.Superblock {
		t.Errorf("the first record is a %s", records[0].Kind)
	}
	var seqs []uint64
	for _, r := range records[1:] {
		if r.Zone == format.Live {
			seqs = append(seqs, r.Seq)
		}
	}
	if want := []uint64{4, 5, 6, 7, 8, 9, 10, 11}; !slices.Equal(seqs, want) {
		t.Errorf("live sequences %v, want %v", seqs, want)
	}
	if last := records[len(records)-1]; last.Kind != format.Gap || last.JournalOffset != 0 || last.Length != 1024 {
		t.Errorf("the last record is a %s of %d bytes at %d", last.Kind, last.Length, last.JournalOffset)
	}
}

func TestRecords(t *testing.T) {
	j := begin(t, ModeJournal)
	j.logged(77)
	must(t, j.w.Checkpoint(), j.w.Barrier(1), j.w.Revoke([]uint64{5}), j.w.Force())
	type row struct {
		kind format.Kind
		zone format.Zone
		tid  uint64
		seq  uint64
	}
	want := []row{{format.Superblock, format.NoZone, 0, 0}, {format.Data, format.Live, 1, 1}, {format.Descriptor, format.Live, 1, 2},
		{format.Commit, format.Live, 1, 3}, {format.Checkpoint, format.Live, 0, 4}, {format.Barrier, format.Live, 0, 5},
		{format.Revoke, format.Live, 0, 6}, {format.Gap, format.NoZone, 0, 0}, {format.Gap, format.NoZone, 0, 0}}
	var got []row
	for _, r := range scan(t, j.d, format.Scan{}) {
		got = append(got, row{r.Kind, r.Zone, r.Tid, r.Seq})
	}
	if !slices.Equal(got, want) {
		t.Errorf("records %v, want %v", got, want)
	}
	data := scan(t, j.d, format.Scan{})[1]
	if data.Block != 77 || !data.HasBlock || data.Fields.Text("sha256_state") != StateZeroTail || data.Fields.Num("stored") != 512-88 {
		t.Errorf("data record: block %d, fields %+v", data.Block, data.Fields)
	}
	for _, r := range scan(t, j.d, format.Scan{Brief: true, SkipData: true}) {
		if len(r.Fields) > 0 {
			t.Errorf("a brief %s record has fields", r.Kind)
		}
	}
}

// One flipped bit is named.
func TestFlippedBit(t *testing.T) {
	j := begin(t, V1)
	j.txn(1)
	j.txn(2)
	j.sync()
	for _, at := range []int{1, 9, hdrChecksum + 1, 300} {
		b := slices.Clone(j.d)
		off := 4*512 + at
		b[off] ^= 0x20
		var found *format.Fault
		for _, r := range scan(t, b, format.Scan{}) {
			for i := range r.Faults {
				if r.Faults[i].FlipOffset >= 0 {
					found = &r.Faults[i]
				}
			}
		}
		if found == nil || found.FlipOffset != int64(off) || found.FlipBit != 5 || found.Found == "" {
			t.Errorf("byte %d: fault %+v", at, found)
		}
	}
}

// A log that does not begin in the ring's first block is read by head and
// sequence.
func TestTurnedRing(t *testing.T) {
	j := begin(t, V1)
	for i := range uint64(3) {
		j.txn(i)
	}
	turned := slices.Clone(j.d)
	ring := turned[3*512:]
	copy(ring, j.d[6*512:])
	copy(ring[5*512:], j.d[3*512:6*512])
	j.d = turned
	le.PutUint64(j.super()[sbHead:], 3+(6+5)%8)
	le.PutUint64(j.super()[sbSequence:], 7)
	if got := codes(t, format.NewBytes("turned", j.d), false); len(got) > 0 {
		t.Errorf("found %v", got)
	}
	if n := len(logOf(t, j.d, false).Transactions); n != 3 {
		t.Errorf("%d transactions", n)
	}
}

// A journal that was cut out of its device, at a place that is no multiple of
// its block size.
func TestCutOut(t *testing.T) {
	g := Geometry{StartBlock: 1000, TotalBlocks: 10, BlockSize: 4096}
	d := newDevice(g, 0)
	w, err := NewWriter(d, g, fixedClock)
	must(t, err, w.Create())
	x := w.Begin(OpCreate)
	x.AddBlock(5)
	must(t, x.Commit(), w.WriteSuperblock())
	cut := append(make([]byte, 3*512), d[1000*4096:]...)
	l := logOf(t, cut, false)
	if len(l.Transactions) != 1 || l.Transactions[0].State != Committed || l.Transactions[0].DescriptorAt != (At{1001, 1, 3*512 + 4096}) {
		t.Errorf("transactions %+v", l.Transactions)
	}
	copy(cut[3*512:], "gone")
	if l = logOf(t, cut, true); len(l.Transactions) != 1 || l.Superblock != nil || l.Window != nil {
		t.Errorf("salvaged: %+v", l)
	}
}

func TestSalvageIsAskedFor(t *testing.T) {
	j := begin(t, V1)
	j.txn(1)
	clear(j.super())
	_, err := Format.Find(context.Background(), format.NewBytes("journal", j.d), format.Options{})
	if !errors.Is(err, format.ErrUnknownFormat) {
		t.Errorf("without a superblock: %v", err)
	}
	if l := logOf(t, j.d, true); len(l.Transactions) != 1 || !l.Transactions[0].DataSuspect {
		t.Errorf("salvaged: %+v", l.Transactions)
	}
	clear(j.ring(2))
	_, err = Format.Find(context.Background(), format.NewBytes("journal", j.d), format.Options{Salvage: true})
	if !errors.Is(err, format.ErrUnknownFormat) {
		t.Errorf("one block left: %v", err)
	}
}

// What a broken superblock claims costs neither memory nor time.
func TestHugeClaims(t *testing.T) {
	for _, total := range []uint64{1 << 20, 1 << 40, 1<<62 - 1, 1 << 63, 1<<64 - 1} {
		for _, seq := range []uint64{1, 1 << 19, 1 << 39, 1 << 61, 1<<64 - 1} {
			j := begin(t, V1)
			j.txn(1)
			le.PutUint64(j.super()[sbTotalBlocks:], total)
			le.PutUint64(j.super()[sbSequence:], seq)
			le.PutUint64(j.super()[sbHead:], 3+(seq-1)%(total-1))
			start := time.Now()
			codes(t, format.NewBytes("huge", j.d), true)
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%d blocks, sequence %d: took %s", total, seq, d)
			}
		}
	}
}

// Holes are jumped over, in the search as in the ring.
func TestSparseFile(t *testing.T) {
	j := begin(t, V1)
	j.txn(1)
	j.sync()
	le.PutUint64(j.super()[sbTotalBlocks:], 1<<40)
	path := filepath.Join(t.TempDir(), "sparse")
	must(t, os.WriteFile(path, j.d, 0o600), os.Truncate(path, 1<<40))
	start := time.Now()
	src, err := format.Open(path)
	must(t, err)
	defer src.Close()
	if format.NextData(src, 1<<30) == 1<<30 {
		t.Skip("this filesystem has no holes")
	}
	if got := codes(t, src, false); len(got) > 0 {
		t.Errorf("found %v", got)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("a sparse file took %s", d)
	}
}

func TestCancel(t *testing.T) {
	j := begin(t, V1)
	j.txn(1)
	j.sync()
	opened, err := Format.Find(context.Background(), format.NewBytes("journal", j.d), format.Options{})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, findErr := Format.Find(ctx, format.NewBytes("journal", j.d), format.Options{})
	_, describeErr := opened.Describe(ctx)
	_, logErr := opened.(*Journal).Log(ctx)
	var scanErr error
	for _, scanErr = range opened.Scan(ctx, format.Scan{}) {
	}
	for what, err := range map[string]error{"Find": findErr, "Describe": describeErr, "Log": logErr, "Scan": scanErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
