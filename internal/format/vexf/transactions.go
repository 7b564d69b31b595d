package vexf

// TxnState is the outcome of a transaction.
type TxnState string

const (
	Committed   TxnState = "committed"
	Uncommitted TxnState = "uncommitted" // no commit
	Invalid     TxnState = "invalid"     // descriptor and commit disagree
	Headless    TxnState = "headless"    // a commit without a descriptor
	Overwritten TxnState = "overwritten" // so too, because the log lapped it
)

// txn is a transaction as indices of items; -1 where there is none.
type txn struct {
	tid          uint64
	state        TxnState
	code         string // the fault, or ""
	desc, commit int
	data         []int
	suspect      bool
}

// place is the item that a transaction's fault belongs to.
func (t *txn) place() int {
	if t.commit >= 0 {
		return t.commit
	}
	return t.desc
}

// joiner walks the items in order and joins them into transactions.
type joiner struct {
	a    *analysis
	open map[uint64]int // by transaction id
	data []int          // data blocks since the last descriptor
	// suspect: a block that may have been data was lost since the last
	// descriptor or commit, or the window began after it.
	suspect  bool
	lastGood int
}

// join applies the rules on what a transaction is.
func (a *analysis) join() {
	j := joiner{a: a, open: map[uint64]int{}, suspect: a.cut(), lastGood: -1}
	for i := range a.items {
		j.step(i)
	}
	j.finish()
}

// cut reports whether older blocks than the first may have been there.
func (a *analysis) cut() bool { return a.j.salvaged || a.Lapped }

func (j *joiner) step(i int) {
	it := &j.a.items[i]
	if !it.present() {
		j.suspect = j.suspect || !it.tail && !j.a.otherType(it)
		return
	}
	if j.gapBefore(i) {
		j.suspect = true
	}
	j.lastGood = i
	switch j.a.spans[it.span].typ {
	case TypeData:
		j.data = append(j.data, i)
	case TypeDescriptor:
		j.descriptor(i)
	case TypeCommit:
		j.commit(i)
	}
}

// otherType reports whether a damaged block's header still shows that it was
// no data block.
func (a *analysis) otherType(it *item) bool {
	if it.loss != lostChecksum || it.span < 0 {
		return false
	}
	t := a.spans[it.span].typ
	return t.known() && t != TypeData
}

// gapBefore reports whether a salvage lacks the sequence before item i. In a
// window, what is lost has an item of its own.
func (j *joiner) gapBefore(i int) bool {
	return j.a.j.salvaged && i > 0 && j.a.items[i].seq > j.a.items[i-1].seq+1
}

func (j *joiner) descriptor(i int) {
	s := &j.a.spans[j.a.items[i].span]
	t := txn{tid: s.key, state: Uncommitted, desc: i, commit: -1, suspect: j.suspect}
	t.data, j.data, j.suspect = j.data, nil, false
	n := len(j.a.txns)
	for _, d := range t.data {
		j.a.items[d].txn = int32(n)
	}
	j.a.items[i].txn, j.open[t.tid] = int32(n), n
	j.a.txns = append(j.a.txns, t)
}

func (j *joiner) commit(i int) {
	j.suspect = false
	tid := j.a.spans[j.a.items[i].span].key
	n, ok := j.open[tid]
	if !ok {
		n = len(j.a.txns)
		j.a.txns = append(j.a.txns, j.headless(tid, i))
	} else {
		delete(j.open, tid)
		t := &j.a.txns[n]
		t.commit = i
		t.state, t.code = j.a.judge(t)
	}
	j.a.items[i].txn = int32(n)
}

func (j *joiner) headless(tid uint64, i int) txn {
	t := txn{tid: tid, state: Headless, code: CodeTxnHeadless, desc: -1, commit: i}
	if i == 0 && j.a.cut() && j.a.items[i].seq > 1 {
		t.state, t.code = Overwritten, CodeTxnOverwritten
	}
	return t
}

// judge compares a commit with its descriptor.
func (a *analysis) judge(t *txn) (TxnState, string) {
	d, c := &a.spans[a.items[t.desc].span], &a.spans[a.items[t.commit].span]
	switch {
	case d.count != c.count || int64(d.count) > int64(ListCapacity(int(a.area.size))):
		return Invalid, CodeTxnCount
	case d.sum != c.sum:
		return Invalid, CodeTxnListChecksum
	}
	return Committed, ""
}

// finish names what is still open at the end.
func (j *joiner) finish() {
	for i := range j.a.txns {
		t := &j.a.txns[i]
		switch {
		case t.state != Uncommitted:
		case t.desc == j.lastGood:
			t.code = CodeTxnTornTail
		default:
			t.code = CodeTxnMissingCommit
		}
	}
	j.a.orphans = j.data
}
