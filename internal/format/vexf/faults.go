package vexf

import (
	"fmt"
	"hash/crc32"
	"math/bits"

	"github.com/vexfs/vexctl/internal/format"
)

// itemFaults adds what is wrong with an item of the live window to the record
// that it sits on.
func (e *emitter) itemFaults(i int32) {
	it := &e.a.items[i]
	if !it.present() {
		e.lostFault(it)
		return
	}
	s := &e.a.spans[it.span]
	e.blockFaults(it, s)
	if it.txn < 0 && s.typ == TypeData {
		f := e.note(it, CodeDataWithoutDescriptor, "no descriptor follows this logged block: it belongs to no transaction and is not applied")
		f.Fields.Uint("original_block", dataOriginalBlock, 8, s.key)
	}
	if it.txn >= 0 {
		e.txnFault(i, it)
	}
}

// note adds a fault with the block and the sequence that it is about.
func (e *emitter) note(it *item, code, message string) *format.Fault {
	f := e.rec.Fault(code, message)
	f.SetSeq(it.seq)
	f.Fields.Uint("block", 0, 0, e.a.area.block(it.pos))
	f.Fields.Uint("sequence", hdrSequence, 8, it.seq)
	return f
}

func (e *emitter) blockFaults(it *item, s *span) {
	if it.swapped {
		f := e.note(it, CodeBlockSwapped, fmt.Sprintf("sequence %d belongs in block %d: two writers changed places",
			it.seq, e.a.area.block(e.a.home(it.seq))))
		f.Fields.Uint("home", 0, 0, e.a.area.block(e.a.home(it.seq)))
	}
	switch {
	case !s.typ.known():
		f := e.note(it, CodeBlockType, fmt.Sprintf("a sound block of the unknown type %d is skipped", s.typ))
		f.Fields.Uint("kind", hdrType, 4, uint64(s.typ))
	case s.typ == TypeData:
		e.dataFault(it)
	case e.a.badSHA(it):
		f := e.note(it, CodeCheckpointSHA256, fmt.Sprintf("the SHA-256 of this %s does not match", s.typ.kind()))
		f.Fields.Uint("kind", hdrType, 4, uint64(s.typ))
		if b := e.read(); int64(len(b)) == e.rec.Length {
			f.Found = fmt.Sprintf("%x", b[hdrSHA256:hdrSHA256+32])
			f.Want = fmt.Sprintf("%x", structSHA(b, shaEnd(s.typ)))
		}
	case e.a.overfull(it):
		e.note(it, CodeTxnCount, fmt.Sprintf("the revocation counts %d blocks and holds at most %d", s.count, RevokeCapacity(int(e.a.area.size))))
	}
}

func (e *emitter) dataFault(it *item) {
	if e.scan.SkipData {
		return
	}
	b := e.read()
	if int64(len(b)) < e.rec.Length || dataSHAState(b) != StateMismatch {
		return
	}
	f := e.note(it, CodeDataSHA256, fmt.Sprintf("the SHA-256 of the logged block fits neither its stored bytes nor those and zeros: VexFS hashed %d bytes more than it stored", dataBytes))
	f.Found = fmt.Sprintf("%x", b[hdrSHA256:hdrSHA256+32])
	f.Want = fmt.Sprintf("%x", dataSHA(b[dataBytes:], dataBytes))
}

// lostFault says what is wrong where a live block should be.
func (e *emitter) lostFault(it *item) {
	s := &e.a.spans[it.span]
	f := e.rec.Fault(it.loss.code(), lostMessage(it, s))
	f.SetSeq(it.seq)
	f.Fields.Uint("block", 0, 0, e.a.area.block(it.pos))
	if s.state == good || s.state == badSum {
		f.Fields.Uint("kind", hdrType, 4, uint64(s.typ))
		f.Fields.Uint("sequence", hdrSequence, 8, s.seq)
	}
	f.Fields.Uint("expected", 0, 0, it.seq)
	if it.tail {
		f.Fields.Bool("tail", 0, 0, true)
	}
	if s.state == badSum || s.state == notJournal {
		e.explainSum(f, s.state)
	}
}

// explainSum notes the sums of a damaged block and the flipped bit, if there
// is one. Bytes without the magic get sums only when one bit of it is wrong.
func (e *emitter) explainSum(f *format.Fault, st state) {
	b := e.read()
	if int64(len(b)) < e.a.area.size {
		return
	}
	if st == notJournal && bits.OnesCount32(le.Uint32(b)^Magic) != 1 {
		return
	}
	got, stored := blockSum(b), le.Uint32(b[hdrChecksum:])
	f.Flip(crc32.IEEETable, b[:len(b)-sumTail], hdrChecksum, le, got, stored)
	if st == badSum || f.FlipOffset >= 0 {
		f.Sums(uint64(stored), uint64(got), 4)
	}
}

func lostMessage(it *item, s *span) string {
	switch it.loss {
	case lostChecksum:
		if it.tail {
			return fmt.Sprintf("the write of sequence %d was cut short: the checksum of the %s is wrong", it.seq, blockName(s.typ))
		}
		return fmt.Sprintf("sequence %d is lost: the checksum of the %s is wrong", it.seq, blockName(s.typ))
	case lostZeroed:
		return fmt.Sprintf("sequence %d is lost: the block holds only zeros", it.seq)
	case lostForeign:
		return fmt.Sprintf("sequence %d is lost: the block is no journal block", it.seq)
	case lostTruncated:
		return fmt.Sprintf("sequence %d is lost: the file ends inside its block", it.seq)
	case lostUnreadable:
		return fmt.Sprintf("sequence %d is lost: its block can't be read", it.seq)
	case lostStale:
		return fmt.Sprintf("sequence %d was never written: its block holds sequence %d of an earlier lap", it.seq, s.seq)
	}
	return fmt.Sprintf("sequence %d is lost: its block holds sequence %d, which belongs elsewhere", it.seq, s.seq)
}

func blockName(t Type) string {
	if t.known() {
		return t.kind().String() + " block"
	}
	return "block"
}

// txnFault adds the fault of a transaction to its commit, or to its descriptor
// when it has no commit.
func (e *emitter) txnFault(i int32, it *item) {
	t := &e.a.txns[it.txn]
	if t.code == "" || t.place() != int(i) {
		return
	}
	f := e.rec.Fault(t.code, e.a.txnMessage(t))
	f.Seq, f.HasSeq, f.Tid, f.HasTid = it.seq, true, t.tid, true
	f.Fields.Uint("transaction_id", 0, 0, t.tid)
	f.Fields.Uint("block", 0, 0, e.a.area.block(it.pos))
	f.Fields.Uint("sequence", hdrSequence, 8, it.seq)
	if t.code == CodeTxnListChecksum {
		f.Sums(uint64(e.a.spans[it.span].sum), uint64(e.a.spans[e.a.items[t.desc].span].sum), 4)
	}
}

func (a *analysis) txnMessage(t *txn) string {
	switch t.code {
	case CodeTxnCount:
		d, c := &a.spans[a.items[t.desc].span], &a.spans[a.items[t.commit].span]
		return fmt.Sprintf("the descriptor of transaction %d counts %d blocks (of at most %d) and its commit %d: it is not applied",
			t.tid, d.count, ListCapacity(int(a.area.size)), c.count)
	case CodeTxnListChecksum:
		return fmt.Sprintf("the commit of transaction %d does not fit the block list of its descriptor: it is not applied", t.tid)
	case CodeTxnHeadless:
		return fmt.Sprintf("transaction %d has a commit and no descriptor", t.tid)
	case CodeTxnOverwritten:
		return fmt.Sprintf("the log has run over the descriptor of transaction %d", t.tid)
	case CodeTxnTornTail:
		return fmt.Sprintf("the log ends before the commit of transaction %d: it is not applied", t.tid)
	}
	return fmt.Sprintf("transaction %d has a descriptor and no commit: it is not applied", t.tid)
}
