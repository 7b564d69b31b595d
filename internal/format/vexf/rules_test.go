package vexf

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// journal is a small journal and its writer, for tests that damage it.
type journal struct {
	testing.TB
	g     Geometry
	d     device
	w     *Writer
	clock uint64
}

// begin creates a journal at block 2 of a device, with a ring of eight blocks.
func begin(t testing.TB, mode Mode) *journal { return beginRing(t, mode, 8) }

func beginRing(t testing.TB, mode Mode, ring uint64) *journal {
	j := &journal{TB: t, clock: 1700000000,
		g: Geometry{StartBlock: 2, TotalBlocks: ring + 1, BlockSize: 512, UID: 10, GID: 20, Mode: mode}}
	j.d = newDevice(j.g, 0)
	w, err := NewWriter(j.d, j.g, func() uint64 { return j.clock })
	must(t, err)
	j.w = w
	must(t, w.Create())
	return j
}

// txn commits a transaction that touches the blocks.
func (j *journal) txn(blocks ...uint64) {
	j.Helper()
	x := j.w.Begin(OpWrite)
	x.AddBlock(blocks...)
	must(j, x.Commit())
	j.clock++
}

// logged commits a transaction that logs the contents of the blocks.
func (j *journal) logged(blocks ...uint64) {
	j.Helper()
	x := j.w.Begin(OpWrite)
	for _, b := range blocks {
		x.LogBlock(b, digests("contents", 512))
	}
	must(j, x.Commit())
	j.clock++
}

// ring returns the bytes of the block that a sequence went to.
func (j *journal) ring(seq uint64) []byte { return j.d.block(j.g, j.w.BlockOf(seq)) }

func (j *journal) super() []byte { return j.d.block(j.g, j.g.StartBlock) }

// edit changes a block and makes its sum right again.
func (j *journal) edit(seq uint64, change func(b []byte)) {
	b := j.ring(seq)
	change(b)
	le.PutUint32(b[hdrChecksum:], blockSum(b))
}

// put writes a body into the place of a sequence.
func (j *journal) put(seq uint64, body Body) { copy(j.ring(seq), EncodeBlock(512, seq, body)) }

func (j *journal) sync() { must(j, j.w.WriteSuperblock()) }

// codes reads a source the way a verification does.
func codes(t testing.TB, src format.Source, salvage bool) []string {
	t.Helper()
	jr, err := Format.Find(context.Background(), src, format.Options{Salvage: salvage})
	must(t, err)
	return codesOf(t, jr)
}

func codesOf(t testing.TB, jr format.Journal) []string {
	t.Helper()
	info, err := jr.Describe(context.Background())
	must(t, err)
	var out []string
	for _, f := range info.Faults {
		out = append(out, f.Code)
	}
	all := scanCodes(t, jr, format.Scan{})
	// A scan that leaves out what a recovery would not read misses no damage.
	if live := scanCodes(t, jr, format.Scan{LiveOnly: true, Brief: true, Order: format.Physical}); !slices.Equal(live, all) {
		t.Errorf("the live records alone have %v, all have %v", live, all)
	}
	out = append(out, all...)
	slices.Sort(out)
	return out
}

func scanCodes(t testing.TB, jr format.Journal, s format.Scan) (out []string) {
	t.Helper()
	for r, err := range jr.Scan(context.Background(), s) {
		must(t, err)
		for _, f := range r.Faults {
			out = append(out, f.Code)
		}
	}
	slices.Sort(out)
	return out
}

// sources that misbehave
type badSector struct {
	*format.Bytes
	from, to int64
}

var errSector = errors.New("input/output error")

func (s badSector) ReadAt(p []byte, off int64) (int, error) {
	if off < s.to && off+int64(len(p)) > s.from {
		n := max(s.from-off, 0)
		m, err := s.Bytes.ReadAt(p[:n], off)
		if err != nil && err != io.EOF {
			return m, err
		}
		return m, errSector
	}
	return s.Bytes.ReadAt(p, off)
}

// TestRules damages a sound journal in one way and lists all that is found.
// Every journal is sound before, see TestSound.
func TestRules(t *testing.T) {
	v1 := func(j *journal) { j.txn(100, 101); j.txn(102); j.txn(103, 104); j.sync() }
	v2 := func(j *journal) {
		must(j, j.w.Force())
		j.logged(100)
		j.txn(101)
		must(j, j.w.Checkpoint(), j.w.Barrier(1), j.w.Force())
	}
	seen := map[string]bool{CodeUnreadable: true} // see TestUnreadableBlock
	for _, c := range []struct {
		name   string
		mode   Mode
		fill   func(j *journal)
		damage func(j *journal)
		want   []string
	}{
		{"superblock without magic", V1, v1, func(j *journal) { j.super()[0] ^= 0xff }, []string{CodeSbMagic}},
		{"file ends in superblock", V1, func(*journal) {}, func(j *journal) { j.d = j.d[:2*512+100] }, []string{CodeSbTruncated}},
		{"version 9", V1, v1, func(j *journal) { j.super()[sbVersionMajor] = 9 }, []string{CodeSbVersion}},
		{"odd block size", V1, v1, func(j *journal) { j.super()[sbBlockSize] = 1 }, []string{CodeSbGeometry}},
		{"one block in all", V1, v1, func(j *journal) { j.super()[sbTotalBlocks] = 1 }, []string{CodeSbGeometry}},
		{"head outside the ring", V1, v1, func(j *journal) { j.super()[sbHead] = 99 }, []string{CodeSbPointer}},
		{"sequence zero", V1, v1, func(j *journal) { j.super()[sbSequence] = 0 }, []string{CodeSbPointer}},
		{"sequence laps ahead", V1, v1, func(j *journal) { le.PutUint64(j.super()[sbSequence:], 7+80) }, []string{CodeSbPointer}},
		{"head where no block fits", V1, v1, func(j *journal) { j.super()[sbHead]++ }, []string{CodeSbPointer}},
		{"log after the last superblock write", V1, v1, func(j *journal) { j.txn(105) }, []string{CodeSbBehind}},
		{"plain superblock write after a forced one", ModeJournal, v2, func(j *journal) { j.sync() }, []string{CodeSbSHA256}},
		{"flip in the extension", ModeJournal, v2, func(j *journal) { j.super()[extBufferSize] ^= 1 }, []string{CodeSbSHA256}},

		{"flip in a block", V1, v1, func(j *journal) { j.ring(4)[200] ^= 4 }, []string{CodeBlockChecksum, CodeTxnMissingCommit}},
		{"zeros in the log", V1, v1, func(j *journal) { clear(j.ring(3)) }, []string{CodeBlockZeroed, CodeTxnHeadless}},
		{"something else in the log", V1, v1, func(j *journal) { copy(j.ring(4), "text") }, []string{CodeBlockNotJournal, CodeTxnMissingCommit}},
		{"file ends before the log does", V1, v1, func(j *journal) { j.d = j.d[:8*512] }, []string{CodeBlockTruncated, CodeTxnTornTail}},
		{"file ends inside a block", V1, v1, func(j *journal) { j.d = j.d[:8*512+9] }, []string{CodeBlockTruncated, CodeTxnTornTail}},
		{"write of a second lap lost", V1, func(j *journal) { v1(j); v1(j) }, func(j *journal) { j.put(10, &Commit{TransactionID: 5}); j.put(2, &Commit{TransactionID: 1}) },
			[]string{CodeBlockStale, CodeTxnMissingCommit}},
		{"foreign block of the journal", V1, v1, func(j *journal) { copy(j.ring(4), j.ring(1)) }, []string{CodeBlockMisplaced, CodeTxnMissingCommit}},
		{"neighbours exchanged", V1, v1, func(j *journal) {
			a, b := slices.Clone(j.ring(2)), slices.Clone(j.ring(3))
			copy(j.ring(2), b)
			copy(j.ring(3), a)
		}, []string{CodeBlockSwapped, CodeBlockSwapped}},
		{"type 9", V1, v1, func(j *journal) { j.w.Skip(); j.put(7, unknownBody(9)); j.sync() }, []string{CodeBlockType}},
		{"type 3 is skipped", V1, v1, func(j *journal) { j.w.Skip(); j.put(7, unknownBody(3)); j.sync() }, nil},
		{"write cut short at the end", V1, v1, func(j *journal) { j.txn(105); j.ring(8)[commitListChecksum] ^= 1 },
			[]string{CodeBlockChecksum, CodeSbBehind, CodeTxnTornTail}},
		{"write cut short over the oldest block", V1, func(j *journal) { v1(j); j.txn(105); j.sync() }, func(j *journal) {
			before := slices.Clone(j.d)
			j.txn(106)
			copy(before.block(j.g, j.w.BlockOf(9)), j.ring(9)[:30])
			j.d = before
		}, []string{CodeBlockChecksum, CodeTxnOverwritten}},
		{"older journal goes on", V1, func(j *journal) { v1(j); j.clock -= 50; must(j, j.w.Create()); j.clock += 100; j.txn(200) }, func(*journal) {},
			[]string{CodeSbBehind, CodeStaleGeneration}},

		{"count differs", V1, v1, func(j *journal) { j.edit(4, func(b []byte) { b[commitBlockCount]++ }) }, []string{CodeTxnCount}},
		{"count beyond the block", V1, v1, func(j *journal) {
			j.edit(3, func(b []byte) { le.PutUint32(b[descBlockCount:], 1<<31) })
			j.edit(4, func(b []byte) { le.PutUint32(b[commitBlockCount:], 1<<31) })
		}, []string{CodeTxnCount}},
		{"list differs", V1, v1, func(j *journal) { j.edit(3, func(b []byte) { b[descBlocks]++ }) }, []string{CodeTxnListChecksum}},
		{"commit of another transaction", V1, v1, func(j *journal) { j.edit(4, func(b []byte) { b[commitTransactionID] = 77 }) },
			[]string{CodeTxnHeadless, CodeTxnMissingCommit}},
		{"descriptor lapped", V1, func(j *journal) { v1(j); must(j, j.w.Revoke([]uint64{1})); j.txn(1); j.sync() }, func(*journal) {}, []string{CodeTxnOverwritten}},
		{"log ends in a transaction", V1, v1, func(j *journal) { j.txn(105); clear(j.ring(8)) }, []string{CodeSbBehind, CodeTxnTornTail}},

		{"SHA-256 over bytes never stored", ModeJournal, v2, func(j *journal) { j.edit(1, func(b []byte) { b[hdrSHA256] ^= 1 }) }, []string{CodeDataSHA256}},
		{"SHA-256 of a checkpoint", ModeJournal, v2, func(j *journal) { j.edit(6, func(b []byte) { b[cpActive] = 9 }) }, []string{CodeCheckpointSHA256}},
		{"SHA-256 of a barrier", ModeJournal, v2, func(j *journal) { j.edit(7, func(b []byte) { b[barrierID] = 9 }) }, []string{CodeCheckpointSHA256}},
		{"data and no descriptor", ModeJournal, v2, func(j *journal) {
			x := j.w.Begin(OpWrite)
			x.AddData(7, nil)
			must(j, x.Commit(), j.w.Force())
		}, []string{CodeDataWithoutDescriptor}},
		{"revocation beyond its block", V1, v1, func(j *journal) {
			must(j, j.w.Revoke([]uint64{1}))
			j.edit(7, func(b []byte) { b[revokeCount] = 250 })
			j.sync()
		}, []string{CodeTxnCount}},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := begin(t, c.mode)
			c.fill(j)
			c.damage(j)
			got := codes(t, format.NewBytes("damaged", j.d), true)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
			for _, code := range c.want {
				seen[code] = true
			}
		})
	}
	for _, r := range Format.Rules {
		if !seen[r.Code] || r.Doc == "" {
			t.Errorf("rule %q has no test or no doc", r.Code)
		}
	}
}

// unknownBody is a body of a type without a structure.
type unknownBody Type

func (u unknownBody) Type() Type { return Type(u) }
func (unknownBody) put([]byte)   {}

// TestSound: what the damaged journals are made from has no fault at all.
func TestSound(t *testing.T) {
	for _, mode := range []Mode{V1, ModeOrdered, ModeWriteback, ModeJournal} {
		t.Run(mode.String(), func(t *testing.T) {
			j := begin(t, mode)
			j.txn(100, 101)
			j.logged(102)
			if mode != V1 {
				must(t, j.w.Checkpoint(), j.w.Barrier(1))
			}
			must(t, j.w.Revoke([]uint64{5}), j.w.Force())
			if got := codes(t, format.NewBytes("sound", j.d), false); len(got) > 0 {
				t.Errorf("found %v", got)
			}
		})
	}
}

func TestUnreadableBlock(t *testing.T) {
	j := begin(t, V1)
	j.txn(100)
	j.txn(101)
	j.sync()
	for _, c := range []struct {
		block int64
		want  []string
	}{
		{4, []string{CodeTxnMissingCommit, CodeUnreadable}},
		{9, []string{CodeUnreadable}},
	} {
		src := badSector{format.NewBytes("disk", j.d), c.block * 512, c.block*512 + 512}
		if got := codes(t, src, false); !slices.Equal(got, c.want) {
			t.Errorf("block %d unreadable: found %v, want %v", c.block, got, c.want)
		}
	}
}
