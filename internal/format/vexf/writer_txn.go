package vexf

import (
	"errors"
	"fmt"
)

// Operation types of a descriptor, as VexFS numbers them.
const (
	OpCreate       = 1
	OpDelete       = 2
	OpWrite        = 3
	OpTruncate     = 4
	OpVectorAdd    = 5
	OpVectorDelete = 6
	OpIndexUpdate  = 7
)

var errEnded = errors.New("the transaction has ended")

// Txn is a transaction that is being put together. Nothing reaches the device
// before [Txn.Commit].
type Txn struct {
	w      *Writer
	id     uint64
	op     uint32
	blocks []uint64
	data   []DataBlock
	ended  bool
}

// Begin starts a transaction with the next id.
func (w *Writer) Begin(op uint32) *Txn {
	w.lastID++
	w.open++
	w.peak = max(w.peak, uint64(w.open))
	return &Txn{w: w, id: w.lastID, op: op}
}

// ID is the transaction's id.
func (t *Txn) ID() uint64 { return t.id }

// AddBlock puts block numbers on the transaction's list.
func (t *Txn) AddBlock(blocks ...uint64) { t.blocks = append(t.blocks, blocks...) }

// AddData logs the contents of a block, without putting it on the list. Only
// mode [ModeJournal] writes them, and never the last 88 bytes. A transaction
// whose list stays empty leaves contents that nothing claims: prefer
// [Txn.LogBlock].
func (t *Txn) AddData(block uint64, contents []byte) {
	size := int(t.w.g.BlockSize)
	stored := make([]byte, StoredBytes(size))
	copy(stored, contents)
	t.data = append(t.data, DataBlock{OriginalBlock: block, DataSize: uint32(size), Data: stored})
}

// LogBlock logs the contents of a block and puts it on the list.
func (t *Txn) LogBlock(block uint64, contents []byte) {
	t.AddData(block, contents)
	t.AddBlock(block)
}

func (t *Txn) end() error {
	if t.ended {
		return errEnded
	}
	t.ended = true
	t.w.open--
	return nil
}

// Abort gives the transaction up. Nothing is written.
func (t *Txn) Abort() error {
	if err := t.end(); err != nil {
		return err
	}
	t.w.aborts++
	return nil
}

// Commit writes the logged contents, the descriptor and the commit. A
// transaction without a list writes no descriptor and no commit, and counts as
// committed all the same.
func (t *Txn) Commit() error {
	if most := ListCapacity(int(t.w.g.BlockSize)); len(t.blocks) > most {
		return fmt.Errorf("commit transaction %d: %d blocks, and a descriptor holds %d", t.id, len(t.blocks), most)
	}
	if err := t.end(); err != nil {
		return err
	}
	if err := t.writeData(); err != nil {
		return err
	}
	if err := t.writeList(); err != nil {
		return err
	}
	t.w.commits++
	t.w.lastCommitted = t.id
	return nil
}

func (t *Txn) writeData() error {
	if t.w.g.Mode != ModeJournal {
		return nil
	}
	for i := range t.data {
		if err := t.w.append(&t.data[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *Txn) writeList() error {
	if len(t.blocks) == 0 {
		return nil
	}
	now, n := t.w.now(), uint32(len(t.blocks))
	d := &Descriptor{TransactionID: t.id, BlockCount: n, OperationType: t.op, Timestamp: now,
		UID: t.w.g.UID, GID: t.w.g.GID, Blocks: t.blocks}
	if err := t.w.append(d); err != nil {
		return err
	}
	list := make([]byte, 8*n)
	putList(list, 0, t.blocks)
	return t.w.append(&Commit{TransactionID: t.id, Time: now, BlockCount: n, ChecksumType: 1, ListChecksum: listSum(t.id, list)})
}
