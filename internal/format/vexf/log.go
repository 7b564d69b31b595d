package vexf

import (
	"context"

	"github.com/vexfs/vexctl/internal/format"
)

// Log is a journal as a whole, joined and judged: what a recovery works on.
// It holds lists of block numbers, never contents.
type Log struct {
	// Version is 1 or 2.
	Version int
	// Superblock and Window are nil when the log was put together without a
	// superblock.
	Superblock   *Superblock
	Window       *Window
	Transactions []Transaction
	// OrphanData are logged blocks that no descriptor follows.
	OrphanData  []LoggedBlock
	Revocations []LoggedRevocation
	Checkpoints []LoggedCheckpoint
	Barriers    []LoggedBarrier
	// Replay lists the logged blocks of committed transactions in the order in
	// which a recovery writes them home.
	Replay   []ReplayStep
	Findings []format.Fault
}

// At places a block of the log: its device block, its sequence, and its byte
// offset in the journal's source.
type At struct {
	Block, Sequence uint64
	Offset          int64
}

// Transaction is a descriptor and its commit; one of them may be nil.
type Transaction struct {
	ID           uint64
	State        TxnState
	Descriptor   *Descriptor
	DescriptorAt At
	Commit       *Commit
	CommitAt     At
	Data         []LoggedBlock
	// DataSuspect: logged blocks of this transaction may have been lost.
	DataSuspect bool
}

// LoggedBlock is a data block. The stored contents are Stored bytes at
// At.Offset + [DataOffset]; the block's last bytes were never stored.
type LoggedBlock struct {
	At
	OriginalBlock uint64
	DataSize      uint32
	Stored        int
	// SHA256State is [StateZeroTail], [StateStored] or [StateMismatch].
	SHA256State string
}

// DataOffset is where the contents start in a data block.
const DataOffset = dataBytes

// LoggedRevocation is a revocation with its place.
type LoggedRevocation struct {
	At
	Blocks []uint64
}

// LoggedCheckpoint is a checkpoint with its place.
type LoggedCheckpoint struct {
	At
	Checkpoint
	SHA256State string
}

// LoggedBarrier is a barrier with its place.
type LoggedBarrier struct {
	At
	Barrier
	SHA256State string
}

// ReplayStep writes Bytes stored bytes to the block Target, unless a later
// revocation cancels it.
type ReplayStep struct {
	TransactionID, Target uint64
	Journal               At
	Bytes                 int
	Revoked               bool
}

// Log reads the whole journal and returns it as a typed model.
func (j *Journal) Log(ctx context.Context) (*Log, error) {
	a, err := j.analyse(ctx)
	if err != nil {
		return nil, err
	}
	l := &Log{Version: 1, Superblock: j.Superblock()}
	if a.v2 {
		l.Version = 2
	}
	if j.code == "" {
		w := a.Window
		l.Window = &w
	}
	b := &logBuilder{a: a, log: l, w: window(j.src, searchBuffer), data: map[int]LoggedBlock{}}
	if err := b.build(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// logBuilder reads the live blocks once more, in order, for the model.
type logBuilder struct {
	a    *analysis
	log  *Log
	w    *format.Window
	data map[int]LoggedBlock // by item
}

func (b *logBuilder) build(ctx context.Context) error {
	b.log.Transactions = make([]Transaction, len(b.a.txns))
	for i := range b.a.txns {
		t := &b.a.txns[i]
		b.log.Transactions[i] = Transaction{ID: t.tid, State: t.state, DataSuspect: t.suspect}
	}
	for i := range b.a.items {
		if err := ctx.Err(); err != nil {
			return err
		}
		if b.a.items[i].present() {
			b.item(i)
		}
	}
	b.join()
	if err := b.replay(ctx); err != nil {
		return err
	}
	b.findings()
	return nil
}

func (b *logBuilder) at(it *item) At {
	return At{b.a.area.block(it.pos), it.seq, b.a.area.off(it.pos)}
}

func (b *logBuilder) item(i int) {
	it := &b.a.items[i]
	raw, err := b.w.At(b.a.area.off(it.pos), int(b.a.area.size))
	if err != nil {
		return
	}
	at, s := b.at(it), &b.a.spans[it.span]
	_, body := DecodeBlock(raw)
	switch body := body.(type) {
	case *Descriptor:
		t := &b.log.Transactions[it.txn]
		t.Descriptor, t.DescriptorAt = body, at
	case *Commit:
		t := &b.log.Transactions[it.txn]
		t.Commit, t.CommitAt = body, at
	case *Revocation:
		b.log.Revocations = append(b.log.Revocations, LoggedRevocation{at, body.Blocks})
	case *DataBlock:
		b.data[i] = LoggedBlock{at, body.OriginalBlock, body.DataSize, len(body.Data), dataSHAState(raw)}
	case *Checkpoint:
		b.log.Checkpoints = append(b.log.Checkpoints, LoggedCheckpoint{at, *body, shaState(s.sha)})
	case *Barrier:
		b.log.Barriers = append(b.log.Barriers, LoggedBarrier{at, *body, shaState(s.sha)})
	}
}

// join gives the logged blocks to their transactions.
func (b *logBuilder) join() {
	for n := range b.a.txns {
		for _, i := range b.a.txns[n].data {
			b.log.Transactions[n].Data = append(b.log.Transactions[n].Data, b.data[i])
		}
	}
	for _, i := range b.a.orphans {
		b.log.OrphanData = append(b.log.OrphanData, b.data[i])
	}
}

func (b *logBuilder) replay(ctx context.Context) error {
	copies, err := b.a.replay(ctx)
	for _, c := range copies {
		d := b.data[c.item]
		b.log.Replay = append(b.log.Replay, ReplayStep{TransactionID: b.a.txns[c.txn].tid, Target: d.OriginalBlock,
			Journal: d.At, Bytes: d.Stored, Revoked: c.revoked})
	}
	return err
}

// findings lists the faults of the journal, then those of its blocks, then
// those of its transactions, each by sequence.
func (b *logBuilder) findings() {
	l := b.a.tile()
	e := &emitter{a: b.a, l: l, w: b.w}
	b.log.Findings = append(b.log.Findings, b.a.faults...)
	var txns []format.Fault
	for _, i := range l.order(format.LogOrder) {
		for _, f := range e.record(&l.pieces[i]).Faults {
			if f.HasTid && f.Fields.Get("transaction_id") != nil {
				txns = append(txns, f)
			} else {
				b.log.Findings = append(b.log.Findings, f)
			}
		}
	}
	b.log.Findings = append(b.log.Findings, txns...)
}
