package jbd2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/formattest"
	"github.com/vexfs/vexctl/internal/format/jbd2/jbd2test"
)

// find opens a journal in memory.
func find(t testing.TB, b []byte) *Journal {
	t.Helper()
	j, err := Find(context.Background(), format.NewBytes("journal", b), format.Options{})
	must(t, err)
	return j.(*Journal)
}

// digests of all records of a scan.
func digests(t testing.TB, seq iter.Seq2[*format.Record, error]) (out []string) {
	t.Helper()
	for r, err := range seq {
		must(t, err)
		out = append(out, formattest.Digest(r))
	}
	return out
}

// outline is a log in short: kind and zone of its records, with tids.
func outline(t testing.TB, j *Journal, order format.Order) string {
	t.Helper()
	var out []string
	for r, err := range j.Scan(context.Background(), format.Scan{Order: order}) {
		must(t, err)
		if r.Kind == format.Superblock || r.Kind == format.Gap {
			continue
		}
		out = append(out, fmt.Sprintf("%s %d %s", r.Kind, r.Tid, r.Zone))
	}
	return strings.Join(slices.Compact(out), ", ")
}

// The blocks of the decoded log are those that the builder wrote.
func TestDecode(t *testing.T) {
	for name, d := range dialects() {
		t.Run(name, func(t *testing.T) {
			im := d.Build()
			var want, got []string
			for _, p := range im.Live() {
				for _, x := range p.Data {
					if !d.Clean {
						want = append(want, fmt.Sprintf("%d: %d at %d, escaped %t", p.Tid, x.Home, im.Off(x.Block), x.Escaped))
					}
				}
			}
			j := find(t, im.Bytes)
			for r, err := range j.Scan(context.Background(), format.Scan{LiveOnly: true}) {
				must(t, err)
				if r.Kind == format.Data {
					got = append(got, fmt.Sprintf("%d: %d at %d, escaped %t", r.Tid, r.Block, r.JournalOffset, r.Fields.Get("escaped") != nil))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q\nwant %q", got, want)
			}
			in, err := j.Describe(context.Background())
			must(t, err)
			if n := len(im.Live()); !d.Clean && in.Transactions.Committed != n {
				t.Errorf("%+v, want %d", in.Transactions, n)
			}
		})
	}
}

// A log that wraps is the same log: from wherever it starts in the ring, log
// order yields the same transactions, and every part of a split scan continues
// where the one before ended.
func TestWrap(t *testing.T) {
	straight := jbd2test.Journal{Log: history(), Seq: 7, Sums: jbd2test.V3}
	want := outline(t, find(t, straight.Build().Bytes), format.LogOrder)
	for at := uint32(990); at < 1024; at++ {
		d := straight
		d.At = at
		j := find(t, d.Build().Bytes)
		if got := outline(t, j, format.LogOrder); got != want {
			t.Fatalf("from block %d:\n%s\nwant\n%s", at, got, want)
		}
		sameInParts(t, j)
	}
}

func sameInParts(t *testing.T, j *Journal) {
	t.Helper()
	for _, order := range []format.Order{format.LogOrder, format.Physical} {
		opt := format.Scan{Order: order}
		whole := digests(t, j.Scan(context.Background(), opt))
		for _, n := range []int{0, 1, 2, 3, 8, 100} {
			parts, err := j.Split(context.Background(), opt, n)
			must(t, err)
			if len(parts) > max(n, 1) {
				t.Fatalf("%d parts, at most %d were wanted", len(parts), n)
			}
			var joined []string
			for _, p := range parts {
				joined = append(joined, digests(t, p)...)
			}
			if !slices.Equal(joined, whole) {
				i := 0
				for i < min(len(whole), len(joined)) && whole[i] == joined[i] {
					i++
				}
				t.Fatalf("order %d, %d parts: %d records, want %d; from number %d on they differ:\n%q\n%q", order, n, len(joined), len(whole), i, whole[i:min(i+2, len(whole))], joined[i:min(i+2, len(joined))])
			}
		}
	}
}

// A long log is divided into as many parts as wanted.
func TestSplitLong(t *testing.T) {
	j := long(t)
	parts, err := j.Split(context.Background(), format.Scan{}, 4)
	must(t, err)
	if len(parts) != 4 {
		t.Errorf("%d parts, want 4", len(parts))
	}
	sameInParts(t, j)
}

// long is a log of 3500 blocks that wraps.
func long(t testing.TB) *Journal {
	t.Helper()
	d := jbd2test.Journal{Seq: 7, Sums: jbd2test.V3, Blocks: 4096, At: 3000}
	for i := range 250 {
		d.Log = append(d.Log, jbd2test.Txn{Blocks: jbd2test.Homes(uint64(i), 12)})
	}
	return find(t, d.Build().Bytes)
}

// Tids run over the end of their 32 bits.
func TestTidWrap(t *testing.T) {
	d := jbd2test.Journal{Log: brief(), Seq: 0xFFFFFFFF, Sums: jbd2test.V3}
	j := find(t, d.Build().Bytes)
	const want = "descriptor 4294967295 live, data 4294967295 live, commit 4294967295 live, " +
		"revoke 0 live, descriptor 0 live, data 0 live, commit 0 live"
	if got := outline(t, j, format.LogOrder); got != want {
		t.Errorf("got %s", got)
	}
	d.Log = append(d.Log, jbd2test.Txn{Blocks: jbd2test.Homes(100, 1)})
	d.Seq--
	im := d.Build()
	im.Flip(im.Off(im.Txns[0].Data[0].Block), 0)
	if r := (&patient{Image: im}).examine(t); !slices.Contains(list(r.Findings), CodeRevokedDataSum) {
		t.Errorf("a revoke with tid 0xFFFFFFFF: found %s", list(r.Findings))
	}
}

// Every part of the ring is in the zone that its history gives it.
func TestZones(t *testing.T) {
	block := jbd2test.Homes(9, 1)
	for _, c := range []struct {
		name string
		d    jbd2test.Journal
		hurt func(im *jbd2test.Image)
		want string
	}{
		{"live", jbd2test.Journal{Log: []jbd2test.Txn{{Blocks: block}}, Seq: 4}, nil,
			"descriptor 4 live, data 4 live, commit 4 live"},
		{"torn", jbd2test.Journal{Log: []jbd2test.Txn{{Blocks: block}, {Blocks: block, Open: true}}, Seq: 4, Sums: jbd2test.V3}, nil,
			"descriptor 4 live, data 4 live, commit 4 live, descriptor 5 torn, data 5 torn"},
		{"checkpointed", jbd2test.Journal{Log: []jbd2test.Txn{{Blocks: block}, {Blocks: block}}, Seq: 4, Tail: 1}, nil,
			"descriptor 5 live, data 5 live, commit 5 live, descriptor 4 checkpointed, data 4 checkpointed, commit 4 checkpointed"},
		{"stale", jbd2test.Journal{Log: []jbd2test.Txn{{Blocks: block}, {Blocks: block}, {Blocks: block}}, Seq: 4, Tail: 2},
			func(im *jbd2test.Image) { clear(im.Block(im.Txns[1].Start)); clear(im.Block(im.Txns[1].Commit)) },
			"descriptor 6 live, data 6 live, commit 6 live, descriptor 4 stale, data 4 stale, commit 4 stale"},
		{"beyond", jbd2test.Journal{Log: []jbd2test.Txn{{Blocks: block}, {Blocks: block}, {Blocks: block}}, Seq: 4, Sums: jbd2test.V3},
			func(im *jbd2test.Image) { clear(im.Block(im.Txns[1].Commit)); clear(im.Block(im.Txns[1].Start)) },
			"descriptor 4 live, data 4 live, commit 4 live, descriptor 6 beyond, data 6 beyond, commit 6 beyond"},
		{"clean", jbd2test.Journal{Log: []jbd2test.Txn{{Blocks: block}}, Seq: 4, Clean: true}, nil,
			"descriptor 4 checkpointed, data 4 checkpointed, commit 4 checkpointed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			im := c.d.Build()
			if c.hurt != nil {
				c.hurt(im)
			}
			if got := outline(t, find(t, im.Bytes), format.LogOrder); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// With its superblock destroyed a journal is still found, when that is wanted,
// and its transactions are there, whatever the dialect.
func TestSalvage(t *testing.T) {
	for name, d := range dialects() {
		if d.External || len(d.Log) == 0 || d.V1 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			im := d.Build()
			clear(im.Super())
			src := format.NewBytes("journal", im.Bytes)
			if _, err := Find(context.Background(), src, format.Options{}); !errors.Is(err, format.ErrUnknownFormat) {
				t.Errorf("without being asked: %v", err)
			}
			j, err := Find(context.Background(), src, format.Options{Salvage: true})
			must(t, err)
			want := 0
			for _, p := range im.Live() {
				want += len(p.Data)
			}
			got := 0
			for r, err := range j.Scan(context.Background(), format.Scan{}) {
				must(t, err)
				if r.Kind == format.Data {
					got++
				}
			}
			if name == "ring-wrap" {
				want -= 2 // nothing says that a descriptor's blocks go on at the start of the ring
			}
			if got < want {
				t.Errorf("%d logged blocks, there were %d", got, want)
			}
		})
	}
}

// A superblock may claim what it likes: nothing is allocated for it.
func TestHugeClaim(t *testing.T) {
	im := jbd2test.Journal{Log: brief(), Seq: 7, Sums: jbd2test.V3}.Build()
	be.PutUint32(im.Super()[0x10:], 1<<32-1)
	im.Seal(0)
	r := (&patient{Image: im}).examine(t)
	if !slices.Contains(list(r.Findings), CodeTruncated) || r.Info.Transactions.Committed != 2 {
		t.Errorf("found %s, %+v", list(r.Findings), r.Info.Transactions)
	}
}

// A sparse file of a terabyte is looked through in no time.
func TestDeepHoles(t *testing.T) {
	d := jbd2test.Journal{Log: brief(), Seq: 7, Sums: jbd2test.V3, Bits64: true, BlockSize: 4096}
	im := d.Build()
	be.PutUint32(im.Super()[0x10:], 1<<28)
	im.Seal(0)
	path := filepath.Join(t.TempDir(), "journal")
	must(t, os.WriteFile(path, im.Bytes[:64<<10], 0o600))
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skipf("NOT TESTED: no sparse file of a terabyte here: %v", err)
	}
	src, err := format.Open(path)
	must(t, err)
	defer src.Close()
	start := time.Now()
	codes, err := formattest.Check(Format, src, format.Options{})
	if err != nil || len(codes) > 0 {
		t.Errorf("%v, %v", codes, err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %s", d)
	}
}

// A disk with bad blocks is read around them: the rest of the log is there, and
// so is a fault for each.
func TestBadBlocks(t *testing.T) {
	p := &patient{Image: sealedLog.Build()}
	p.txn = p.Live()
	for _, n := range []int{2, 3, 5} {
		p.bad = append(p.bad, p.Off(p.txn[n].Data[0].Block))
	}
	r := p.examine(t)
	n := 0
	for _, f := range r.Findings {
		if f.Code == CodeUnreadable {
			n++
		}
	}
	if n != 3 || r.OK || r.Info.Transactions.Committed+r.Info.Transactions.Damaged != 6 {
		t.Errorf("found %s, %+v", list(r.Findings), r.Info.Transactions)
	}
	// Each kind of block in turn.
	for _, at := range []uint32{0, p.txn[1].Revokes[0], p.txn[2].Descriptors[0], p.txn[3].Commit, p.txn[5].Commit} {
		p.bad = []int64{p.Off(at)}
		j, err := p.open()
		if err != nil {
			if at != 0 {
				t.Errorf("block %d: %v", at, err)
			}
			continue
		}
		var end int64
		for r, err := range j.Scan(context.Background(), format.Scan{Order: format.Physical}) {
			must(t, err)
			end = r.End()
		}
		if end != int64(len(p.Bytes)) {
			t.Errorf("block %d: the scan ended at byte %d", at, end)
		}
		if r := p.examine(t); r.OK {
			t.Errorf("block %d: all is well", at)
		}
	}
}

// A scan ends when it is told to, with the reason.
func TestCancelled(t *testing.T) {
	j := long(t)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := j.Describe(ctx)
	must(t, err)
	cancel()
	var last error
	n := 0
	for _, err := range j.Scan(ctx, format.Scan{}) {
		last, n = err, n+1
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("after %d records: %v", n, last)
	}
	if _, err := long(t).Describe(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("describing: %v", err)
	}
}

// repeated is a large journal out of a small one: the ring's blocks again and
// again, each time with the next tids.
type repeated struct {
	head, lap []byte
	laps      int
	tids      uint32
}

func (s *repeated) Size() int64  { return int64(len(s.head) + s.laps*len(s.lap)) }
func (s *repeated) Name() string { return "repeated" }

func (s *repeated) ReadAt(b []byte, off int64) (int, error) {
	n := copy(b, s.head[min(off, int64(len(s.head))):])
	for n < len(b) {
		at := off + int64(n) - int64(len(s.head))
		lap := int(at / int64(len(s.lap)))
		if lap >= s.laps {
			return n, errors.New("end")
		}
		skip := int(at % int64(len(s.lap)))
		block := skip / 1024 * 1024
		page := bytes.Clone(s.lap[block : block+1024])
		if be.Uint32(page) == magic {
			be.PutUint32(page[8:], be.Uint32(page[8:])+uint32(lap)*s.tids)
		}
		n += copy(b[n:], page[skip-block:])
	}
	return n, nil
}

// Memory does not grow with the log: 64 MiB are read in a few.
func TestMemory(t *testing.T) {
	log := make([]jbd2test.Txn, 64)
	for i := range log {
		log[i] = jbd2test.Txn{Blocks: jbd2test.Homes(uint64(i), 14)}
	}
	im := jbd2test.Journal{Log: log, Seq: 7, Blocks: 1025}.Build()
	s := &repeated{head: im.Block(0), lap: im.Bytes[1024:], laps: 64, tids: uint32(len(log))}
	be.PutUint32(s.head[0x10:], uint32(s.Size()/1024))
	j, err := Find(context.Background(), s, format.Options{})
	must(t, err)
	in, err := j.Describe(context.Background())
	must(t, err)
	if in.Transactions.Committed != 64*64 {
		t.Fatalf("%+v", in.Transactions)
	}
	formattest.Memory(t, Format, s, 8<<20)
}
