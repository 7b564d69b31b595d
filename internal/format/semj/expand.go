package semj

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

// Compression types of a STOR block.
const (
	CompressNone = 0
	CompressZlib = 1 // RFC 1950
	CompressLZ4  = 2 // one LZ4 block
)

var errExpand = errors.New("the stored bytes do not expand to the event's size")

// expand returns the n bytes that the stored bytes stand for, and never makes
// more than those.
func expand(stored []byte, n int, compression uint32) ([]byte, error) {
	if len(stored) == n {
		return stored, nil
	}
	switch compression {
	case CompressZlib:
		return inflate(stored, n)
	case CompressLZ4:
		out := make([]byte, n)
		if got, err := lz4.UncompressBlock(stored, out); err != nil || got != n {
			return nil, errExpand
		}
		return out, nil
	}
	return nil, fmt.Errorf("compression type %d is not defined", compression)
}

// inflate expands a zlib stream that holds exactly n bytes.
func inflate(stored []byte, n int) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(stored))
	if err != nil {
		return nil, errExpand
	}
	defer r.Close()
	out := make([]byte, n)
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, errExpand
	}
	// One more byte must not come; the attempt also checks the stream's sum.
	if _, err := io.ReadFull(r, make([]byte, 1)); err != io.EOF {
		return nil, errExpand
	}
	return out, nil
}
