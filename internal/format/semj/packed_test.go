package semj

import (
	"bytes"
	"compress/zlib"
	"testing"

	"github.com/pierrec/lz4/v4"

	"github.com/vexfs/vexctl/internal/format"
)

// pack compresses b by a block's compression type.
func pack(t testing.TB, b []byte, compression uint32) []byte {
	t.Helper()
	if compression == CompressZlib {
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		w.Write(b)
		w.Close()
		return out.Bytes()
	}
	out := make([]byte, lz4.CompressBlockBound(len(b)))
	n, err := lz4.CompressBlock(b, out, nil)
	if err != nil || n == 0 {
		t.Fatalf("lz4: %d, %v", n, err)
	}
	return out[:n]
}

// packedEvents are larger than a block unless they are compressed.
func packedEvents() []*Event {
	events := compact(3)
	for i, e := range events {
		e.Context = &Context{Transaction: uint64(i) + 7, Path: "/packed"}
		e.Payload = bytes.Repeat([]byte("payload "), 20)
	}
	return events
}

// packedBlock is a block of compressed events.
func packedBlock(t testing.TB, compression uint32) []byte {
	b := make([]byte, BlockSize)
	h := Block{Magic: magicSTOR, Version: 1, ID: 1, Compression: compression, FirstID: 2, LastID: 4}
	for i, e := range packedEvents() {
		raw := encode(t, e)
		stored := pack(t, raw, compression)
		x := BlockEntry{ID: e.ID, Size: uint32(len(raw)), Stored: uint32(len(stored)), Offset: h.Used, Sum: le.Uint32(raw[evSum:])}
		x.encode(b[entryAt(i):])
		copy(b[blkData+h.Used:], stored)
		h.Used += x.Stored
		h.Count++
	}
	h.encode(b)
	mendBlock(b)
	return b
}

func TestPackedEventsAreExpanded(t *testing.T) {
	for _, compression := range []uint32{CompressZlib, CompressLZ4} {
		r := readBytes(t, Stor, packedBlock(t, compression))
		events := r.events()
		if len(events) != 3 || len(r.codes()) != 0 {
			t.Fatalf("compression %d: %d events, faults %v", compression, len(events), r.codes())
		}
		for i, rec := range events {
			if rec.Event.Path != "/packed" || rec.Tid != uint64(i)+7 || rec.Fields.Get("context").Size != 0 {
				t.Errorf("compression %d: event %d came out wrong: %+v", compression, i, rec.Event)
			}
		}
	}
}

func TestExpansionStopsAtTheDeclaredSize(t *testing.T) {
	bomb := make([]byte, 1<<20)
	for _, compression := range []uint32{CompressZlib, CompressLZ4} {
		stored := pack(t, bomb, compression)
		if _, err := expand(stored, len(stored)+1000, compression); err == nil {
			t.Errorf("compression %d: more than the declared size was accepted", compression)
		}
		if out, err := expand(stored, 1<<20, compression); err != nil || !bytes.Equal(out, bomb) {
			t.Errorf("compression %d: %v", compression, err)
		}
	}
	if _, err := expand([]byte{1}, 200, 9); err == nil {
		t.Error("compression type 9 was accepted")
	}
}

// Rows that all point at one well-packed event cost a bounded expansion.
func TestExpansionOfABlockIsBounded(t *testing.T) {
	e := kernelEvent(0)
	e.Context, e.Payload = &Context{}, make([]byte, MaxPayload)
	raw := encode(t, e)
	stored := pack(t, raw, CompressZlib)
	b := make([]byte, BlockSize)
	h := Block{Magic: magicSTOR, Version: 1, Count: MaxEntries, Compression: CompressZlib}
	for i := range MaxEntries {
		x := BlockEntry{ID: e.ID, Size: uint32(len(raw)), Stored: uint32(len(stored)), Sum: le.Uint32(raw[evSum:])}
		x.encode(b[entryAt(i):])
	}
	copy(b[blkData:], stored)
	h.encode(b)
	mendBlock(b)
	k := parseBlock(b)
	if len(k.held) != 1 || k.grown > maxGrown {
		t.Errorf("%d events, %d bytes", len(k.held), k.grown)
	}
	if r := readBytes(t, Stor, b); r.codes()[0] != CodeStorEntry || r.info.State != format.Damaged {
		t.Errorf("faults %v, state %s", r.codes(), r.info.State)
	}
}
