package vexf

import (
	"context"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// analysis is everything that can be said of a journal without holding its
// contents: a few dozen bytes for each block that carries the magic.
type analysis struct {
	j     *Journal
	area  area
	spans []span
	Window
	shift   uint64 // where in the ring the first sequence lay
	stale   int    // span of the first block of an earlier journal, or -1
	items   []item
	lost    int
	txns    []txn
	orphans []int // data items that no descriptor follows
	v2      bool
	faults  []format.Fault // of the journal as a whole
	mark    []byte
}

// analyse surveys the ring and joins what it finds.
func (j *Journal) analyse(ctx context.Context) (*analysis, error) {
	s, err := j.survey(ctx)
	if err != nil {
		return nil, err
	}
	a := &analysis{j: j, area: j.area, spans: s.spans, stale: -1}
	s.mark.Write(j.superblockBytes())
	a.mark = s.mark.Sum(nil)
	a.v2 = j.sb != nil && j.sb.Extension != nil || a.hasV2Blocks()
	a.superblockFaults()
	switch {
	case j.salvaged:
		a.takeAll()
	case j.code == "":
		a.settle(j.sb)
	}
	a.join()
	a.windowFaults()
	return a, nil
}

func (a *analysis) hasV2Blocks() bool {
	for i := range a.spans {
		if s := &a.spans[i]; s.state == good && s.typ >= TypeData {
			return true
		}
	}
	return false
}

// fault adds a fault of the journal as a whole, at a place in it.
func (a *analysis) fault(code string, off, length int64, message string) *format.Fault {
	off = max(off, 0)
	a.faults = append(a.faults, format.Fault{Code: code, Message: message, JournalOffset: off,
		Offset: format.Place(a.j.src, off), Length: length, FlipOffset: -1})
	return &a.faults[len(a.faults)-1]
}

func (a *analysis) superblockFaults() {
	j := a.j
	if j.code != "" {
		a.fault(j.code, j.at, j.superblockLength(), j.why)
	}
	if j.code == "" && j.sb.SHA256State == StateMismatch {
		a.fault(CodeSbSHA256, j.at, extSize, "the superblock's SHA-256 does not match; a plain superblock write after a forced commit leaves it so, and so does damage")
	}
}

func (a *analysis) distrust(why string, args ...any) {
	a.fault(CodeSbPointer, a.j.at+sbHead, sbCommitSequence-sbHead, "the superblock does not say where the log ends: "+fmt.Sprintf(why, args...))
}

func (a *analysis) behind(next, last uint64) {
	f := a.fault(CodeSbBehind, a.j.at+sbSequence, 8, fmt.Sprintf("the superblock ends the log before sequence %d, and it goes on to %d", next, last))
	f.SetSeq(last)
}

// windowFaults adds what has no record to sit on: the end of the log, and
// blocks that the source does not have.
func (a *analysis) windowFaults() {
	if a.stale >= 0 {
		s := &a.spans[a.stale]
		f := a.fault(CodeStaleGeneration, a.area.off(s.pos), a.area.size,
			fmt.Sprintf("sequence %d follows on, but is older than the log before it: it and what comes after are an earlier journal's", s.seq))
		f.SetSeq(s.seq)
	}
	for i := range a.items {
		if it := &a.items[i]; !it.present() && (it.span < 0 || it.n > 1) {
			a.absent(it)
		}
	}
}

// absent adds the fault of lost blocks that have no record.
func (a *analysis) absent(it *item) {
	msg := fmt.Sprintf("sequence %d lies beyond the end of the file", it.seq)
	if it.n > 1 {
		msg = fmt.Sprintf("sequences %d to %d are lost as well", it.seq, it.seq+it.n-1)
	}
	off, length := a.j.src.Size(), a.area.size
	if it.span >= 0 {
		off = a.area.off(it.pos)
	} else if uint64(it.pos) < uint64(1<<62)/uint64(a.area.size) {
		off = a.area.off(it.pos)
	}
	f := a.fault(it.loss.code(), off, length, msg)
	f.SetSeq(it.seq)
	f.Fields.Uint("block", 0, 0, a.area.block(it.pos))
	f.Fields.Uint("expected", 0, 0, it.seq)
}
