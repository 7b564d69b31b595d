package vexf

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// Describe surveys the log and sums it up.
func (j *Journal) Describe(ctx context.Context) (*format.Info, error) {
	a, err := j.analyse(ctx)
	if err != nil {
		return nil, err
	}
	info := &format.Info{Format: Format.Name, Variant: a.variant(), Place: j.place(), Geometry: a.geometry(),
		Faults: a.faults, Mark: hex.EncodeToString(a.mark)}
	a.count(info)
	replay, err := a.pending(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case a.damaged():
		info.State = format.Damaged
	case replay > 0:
		info.State = format.Dirty
	}
	info.Outlook = a.outlook(replay)
	return info, nil
}

func (a *analysis) variant() []string {
	if !a.v2 {
		return []string{"v1"}
	}
	if a.j.sb == nil || a.j.sb.Extension == nil {
		return []string{"v2"}
	}
	return []string{"v2", "mode=" + a.j.sb.Extension.JournalMode.String()}
}

func (j *Journal) place() string {
	switch {
	case j.at < 0:
		return "blocks without a superblock"
	case j.at == 0:
		return ""
	case j.sb != nil && j.code == "" && uint64(j.at) == j.sb.StartBlock*uint64(j.sb.BlockSize):
		return fmt.Sprintf("block %d of a device", j.sb.StartBlock)
	}
	return fmt.Sprintf("byte %d", j.at)
}

func (a *analysis) geometry() format.Fields {
	var f format.Fields
	if b := a.j.superblockBytes(); len(b) >= sbSize {
		readSuperblock(b, &f)
	} else if a.area.size > 0 {
		f.Uint("block_size", 0, 0, uint64(a.area.size))
	}
	if a.j.code == "" {
		f.Uint("first_sequence", 0, 0, a.First)
		f.Uint("last_sequence", 0, 0, a.Last)
		f.Bool("lapped", 0, 0, a.Lapped)
	}
	return f
}

// count fills in the transactions and the ranges of the committed ones.
func (a *analysis) count(info *format.Info) {
	for i := range a.txns {
		t := &a.txns[i]
		switch t.state {
		case Committed:
			info.Transactions.Committed++
			a.widen(info, t)
		case Uncommitted:
			info.Transactions.Uncommitted++
		case Invalid, Headless:
			info.Transactions.Damaged++
		}
	}
}

func (a *analysis) widen(info *format.Info, t *txn) {
	first, last := a.items[t.desc].seq, a.items[t.commit].seq
	if !info.HasSeq {
		info.FirstSeq, info.LastSeq, info.HasSeq = first, last, true
	}
	info.FirstSeq, info.LastSeq = min(info.FirstSeq, first), max(info.LastSeq, last)
	ns, ok := format.UnixNano(a.spans[a.items[t.commit].span].time, 0)
	if !ok {
		return
	}
	if !info.HasTime {
		info.FirstTime, info.LastTime, info.HasTime = ns, ns, true
	}
	info.FirstTime, info.LastTime = min(info.FirstTime, ns), max(info.LastTime, ns)
}

// damaged reports whether anything in the journal is an error.
func (a *analysis) damaged() bool {
	for i := range a.faults {
		if severity(a.faults[i].Code) == format.Damage {
			return true
		}
	}
	for i := range a.txns {
		if c := a.txns[i].code; c != "" && severity(c) == format.Damage {
			return true
		}
	}
	for i := range a.items {
		if it := &a.items[i]; !it.present() || a.badSHA(it) || a.overfull(it) {
			return true
		}
	}
	for i := range a.spans {
		if a.spans[i].state == unreadable {
			return true
		}
	}
	return false
}

// badSHA reports whether a checkpoint's or barrier's SHA-256 is wrong.
func (a *analysis) badSHA(it *item) bool {
	s := &a.spans[it.span]
	return (s.typ == TypeCheckpoint || s.typ == TypeBarrier) && !s.sha
}

// overfull reports whether a revocation counts more blocks than it holds.
func (a *analysis) overfull(it *item) bool {
	s := &a.spans[it.span]
	return s.typ == TypeRevocation && int64(s.count) > int64(RevokeCapacity(int(a.area.size)))
}

// outlook says what VexFS's own recovery would do, and what can be done.
func (a *analysis) outlook(replay int) string {
	const refuses = "VexFS refuses to load any journal of its own making, since it checks the superblock's sum over itself"
	switch {
	case a.j.code == CodeSbVersion:
		return "the version is unknown; VexFS would refuse it as well"
	case replay > 0:
		return fmt.Sprintf("%s; %s can be written home from here, each without its last %d bytes", refuses, plural(replay, "logged block"), dataBytes)
	}
	return refuses + "; there is nothing to replay"
}

func plural(n int, what string) string {
	return fmt.Sprintf("%d %s%s", n, what, [...]string{"", "s"}[cmp.Compare(max(n, 1), 1)])
}
