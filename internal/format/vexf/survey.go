package vexf

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"

	"github.com/vexfs/vexctl/internal/format"
)

// state is what a block of the ring turned out to be.
type state uint8

const (
	good       state = iota // magic and sum right
	badSum                  // magic right, sum wrong
	notJournal              // no magic
	zeroed                  // only zeros, or a hole
	partial                 // the source ends inside it
	unreadable              // its device refuses
)

// span is one block with the magic, or a run of blocks without. It keeps all
// that the analysis needs, so that each block is read once.
type span struct {
	pos, n int64 // slots
	seq    uint64
	time   uint64 // Unix seconds; see timed
	// key is the transaction id of a descriptor or commit, and the home block
	// of a data block.
	key   uint64
	count uint32 // of a descriptor, commit or revocation
	sum   uint32 // over a descriptor's list, or as the commit has it
	typ   Type
	state state
	// sha: the SHA-256 of a checkpoint or barrier holds.
	sha bool
}

// timed reports whether the block says when it was written.
func (s *span) timed() bool {
	return s.typ == TypeDescriptor || s.typ == TypeCommit || s.typ == TypeCheckpoint
}

// survey reads the ring once.
type survey struct {
	area  area
	w     *format.Window
	spans []span
	mark  hash.Hash // over all headers with a magic
}

// survey reads the ring of j, or in a salvage the whole source.
func (j *Journal) survey(ctx context.Context) (*survey, error) {
	s := &survey{area: j.area, w: window(j.src, searchBuffer), mark: sha256.New()}
	for pos := int64(0); pos < s.area.slots; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pos += s.slot(j.src, pos)
	}
	return s, nil
}

// slot takes one slot, or a hole of several, and returns how many.
func (s *survey) slot(src format.Source, pos int64) int64 {
	off := s.area.off(pos)
	b, err := s.w.At(off, int(s.area.size))
	switch {
	case errors.Is(err, format.ErrTruncated):
		s.run(pos, 1, partial)
	case err != nil:
		s.run(pos, 1, unreadable)
	case le.Uint32(b) == Magic:
		s.spans = append(s.spans, readSpan(pos, b))
		s.mark.Write(b[:hdrFlags])
	case !format.IsZero(b):
		s.run(pos, 1, notJournal)
	default:
		next := format.NextData(src, off+s.area.size)
		n := min(max((next-off)/s.area.size, 1), s.area.slots-pos)
		s.run(pos, n, zeroed)
		return n
	}
	return 1
}

// run appends blocks without a magic. Runs grow, but for what can't be read:
// each such block is a finding.
func (s *survey) run(pos, n int64, st state) {
	if k := len(s.spans) - 1; k >= 0 && s.spans[k].state == st && st != unreadable {
		s.spans[k].n += n
		return
	}
	s.spans = append(s.spans, span{pos: pos, n: n, state: st})
}

func readSpan(pos int64, b []byte) span {
	h := readHeader(b)
	s := span{pos: pos, n: 1, seq: h.Sequence, typ: h.Type, state: badSum}
	if !goodSum(b) {
		return s
	}
	s.state = good
	switch h.Type {
	case TypeDescriptor:
		s.key, s.time, s.count = le.Uint64(b[descTransactionID:]), le.Uint64(b[descTimestamp:]), le.Uint32(b[descBlockCount:])
		s.sum = listSum(s.key, listBytes(b, descBlocks, s.count))
	case TypeCommit:
		s.key, s.time, s.count = le.Uint64(b[commitTransactionID:]), le.Uint64(b[commitTime:]), le.Uint32(b[commitBlockCount:])
		s.sum = le.Uint32(b[commitListChecksum:])
	case TypeRevocation:
		s.count = le.Uint32(b[revokeCount:])
	case TypeData:
		s.key = le.Uint64(b[dataOriginalBlock:])
	case TypeCheckpoint:
		s.time = le.Uint64(b[cpTimestamp:])
		s.sha = goodStructSHA(b, h.Type)
	case TypeBarrier:
		s.sha = goodStructSHA(b, h.Type)
	}
	return s
}
