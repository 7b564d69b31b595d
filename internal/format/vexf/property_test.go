package vexf

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// expectation is a transaction that a random scenario committed.
type expectation struct {
	id     uint64
	blocks []uint64
	data   []uint64
}

// random runs a random scenario and returns what was committed with a list.
func random(j *journal, rnd *rand.Rand) (out []expectation) {
	for range 1 + rnd.IntN(40) {
		switch rnd.IntN(10) {
		case 0:
			j.sync()
		case 1:
			must(j, j.w.Force())
		case 2:
			must(j, j.w.Revoke(numbers(rnd, 5)))
		case 3:
			if j.g.Mode != V1 {
				must(j, j.w.Checkpoint())
			}
		case 4:
			if j.g.Mode != V1 {
				must(j, j.w.Barrier(rnd.Uint32()))
			}
		default:
			if e, ok := randomTxn(j, rnd); ok {
				out = append(out, e)
			}
		}
		j.clock += rnd.Uint64N(3)
	}
	must(j, j.w.Force())
	return out
}

func randomTxn(j *journal, rnd *rand.Rand) (expectation, bool) {
	x := j.w.Begin(1 + rnd.Uint32N(7))
	e := expectation{id: x.ID(), blocks: numbers(rnd, 8)}
	x.AddBlock(e.blocks...)
	for range rnd.IntN(3) {
		block := rnd.Uint64N(1000)
		x.LogBlock(block, digests(fmt.Sprint(rnd.Uint64()), int(j.g.BlockSize)))
		e.blocks = append(e.blocks, block)
		if j.g.Mode == ModeJournal {
			e.data = append(e.data, block)
		}
	}
	if rnd.IntN(5) == 0 {
		must(j, x.Abort())
		return e, false
	}
	must(j, x.Commit())
	return e, true
}

func numbers(rnd *rand.Rand, most int) []uint64 {
	out := make([]uint64, 1+rnd.IntN(most))
	for i := range out {
		out[i] = rnd.Uint64N(1000)
	}
	return out
}

func geometries(rnd *rand.Rand, i int) Geometry {
	return Geometry{StartBlock: rnd.Uint64N(20), TotalBlocks: 3 + rnd.Uint64N(120), BlockSize: MinBlockSize << rnd.IntN(4),
		UID: rnd.Uint32(), GID: rnd.Uint32(), Mode: Mode(i % 4)}
}

// TestRoundTrip writes random journals, decodes them, and encodes each block
// again from what was decoded: the bytes and the transactions must be the same.
func TestRoundTrip(t *testing.T) {
	for i := range 200 {
		rnd := rand.New(rand.NewPCG(uint64(i), 7))
		j := &journal{TB: t, g: geometries(rnd, i), clock: 1700000000}
		j.d = newDevice(j.g, byte(rnd.Uint32()))
		w, err := NewWriter(j.d, j.g, func() uint64 { return j.clock })
		must(t, err, w.Create())
		j.w = w
		want := random(j, rnd)
		sameBlocks(t, j)
		sameTransactions(t, j, want)
		if t.Failed() {
			t.Fatalf("scenario %d: %+v", i, j.g)
		}
	}
}

func sameBlocks(t *testing.T, j *journal) {
	for s := max(j.w.Sequence(), j.g.TotalBlocks) - j.g.TotalBlocks + 1; s < j.w.Sequence(); s++ {
		b := j.ring(s)
		h, body := DecodeBlock(b)
		if h.Sequence != s || body == nil {
			t.Errorf("sequence %d: block of type %d with sequence %d", s, h.Type, h.Sequence)
			continue
		}
		if again := EncodeBlock(len(b), h.Sequence, body); !bytes.Equal(again, b) {
			t.Errorf("sequence %d, type %d: encoded again %s", s, h.Type, firstDifference(again, b, len(b)))
		}
	}
}

func sameTransactions(t *testing.T, j *journal, want []expectation) {
	log := logOf(t, j.d, false)
	var got []expectation
	for _, x := range log.Transactions {
		if x.State == Overwritten {
			continue
		}
		e := expectation{id: x.ID, blocks: x.Descriptor.Blocks}
		for _, d := range x.Data {
			e.data = append(e.data, d.OriginalBlock)
		}
		if x.State != Committed {
			t.Errorf("transaction %d is %s", x.ID, x.State)
		}
		got = append(got, e)
	}
	want = want[max(len(want)-len(got), 0):]
	for i := range got {
		if got[i].id != want[i].id || !reflect.DeepEqual(got[i].blocks, want[i].blocks) {
			t.Errorf("transaction %+v, want %+v", got[i], want[i])
		}
		if !log.Transactions[len(log.Transactions)-len(got)+i].DataSuspect && !reflect.DeepEqual(got[i].data, want[i].data) {
			t.Errorf("data of transaction %d: %v, want %v", got[i].id, got[i].data, want[i].data)
		}
	}
	for _, f := range log.Findings {
		if severity(f.Code) != format.Note {
			t.Errorf("finding %s: %s", f.Code, f.Message)
		}
	}
}

func logOf(t testing.TB, b []byte, salvage bool) *Log {
	t.Helper()
	j, err := Format.Find(context.Background(), format.NewBytes("journal", b), format.Options{Salvage: salvage})
	must(t, err)
	l, err := j.(*Journal).Log(context.Background())
	must(t, err)
	return l
}
