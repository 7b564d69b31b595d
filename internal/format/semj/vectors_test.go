package semj

import (
	"bytes"
	"testing"
)

// The test vectors of the format's specification.

func TestSumVectors(t *testing.T) {
	if got := update(0, []byte("123456789")); got != 0x2DFD2D88 {
		t.Errorf("seed 0: %#x", got)
	}
	if got := update(0xFFFFFFFF, []byte("123456789")); got != 0x340BC6D9 {
		t.Errorf("seed all ones: %#x", got)
	}
}

func vectorEvent() *Event {
	e := kernelEvent(0)
	e.Payload = []byte("hi")
	return e
}

func TestFileVector(t *testing.T) {
	b := buildFile(t, []*Event{vectorEvent()}, true)
	if len(b) != 238 {
		t.Errorf("%d bytes, want 238", len(b))
	}
	if got := DecodeHeader(b).Checksum; got != 0x0FE34920 {
		t.Errorf("header checksum %#x", got)
	}
	if got := le.Uint32(b[HeaderSize+evSum:]); got != 0xB3400B58 {
		t.Errorf("event checksum %#x", got)
	}
	if got := readBytes(t, Format, b).codes(); len(got) != 0 {
		t.Errorf("faults %v", got)
	}
}

func TestWholeContextVector(t *testing.T) {
	e := kernelEvent(0)
	e.Context = &Context{Path: "/a/b.txt"}
	b := encode(t, e)
	if got := le.Uint32(b[evSum:]); len(b) != 5412 || got != 0xD37FCD85 {
		t.Errorf("%d bytes with checksum %#x", len(b), got)
	}
}

func TestBlockVector(t *testing.T) {
	b := buildBlocks(t, []*Event{vectorEvent()})
	if got := DecodeBlock(b).Checksum; len(b) != BlockSize || got != 0x1E2CB03E {
		t.Errorf("%d bytes with checksum %#x", len(b), got)
	}
	if !bytes.Equal(b[blkData:blkData+134], encode(t, vectorEvent())) {
		t.Error("the event is not at the front of the data area")
	}
	if got := readBytes(t, Stor, b).codes(); len(got) != 0 {
		t.Errorf("faults %v", got)
	}
}
