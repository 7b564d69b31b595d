package semj

import (
	"context"
	"iter"
	"sync"

	"github.com/vexfs/vexctl/internal/format"
)

// body is what tells a SEMJ file and STOR blocks apart.
type body interface {
	source() format.Source
	// walk visits every record in the order of offsets.
	walk(ctx context.Context, d depth, v visit) error
	// stamps calls each for the intact events in [from, to); both are offsets
	// of events, or where events end.
	stamps(ctx context.Context, from, to int64, each func(stamp)) error
	// mark changes when the journal is written to.
	mark() string
	// describe says what the journal is, given an audit of it.
	describe(a *audit) *format.Info
}

// journal implements [format.Journal] over a body.
type journal struct {
	body body
	mu   sync.Mutex
	last *audit
}

// Source is the file: its first byte is the journal's.
func (j *journal) Source() format.Source { return j.body.source() }

// Describe reads the whole journal: without that there is no telling where the
// events end, how many there are, and whether they are intact. The result is
// kept until the journal's mark changes.
func (j *journal) Describe(ctx context.Context) (*format.Info, error) {
	a, err := j.audited(ctx)
	if err != nil {
		return nil, err
	}
	info := j.body.describe(a)
	info.Mark = a.mark
	info.HasSeq, info.FirstSeq, info.LastSeq = a.any, a.first, a.final
	if a.damaged || anyDamage(info.Faults) {
		info.State = format.Damaged
	}
	return info, nil
}

// Scan yields the records in the order of offsets, which is that of the
// history too.
func (j *journal) Scan(ctx context.Context, s format.Scan) iter.Seq2[*format.Record, error] {
	d := full
	if s.Brief {
		d = brief
	}
	return func(yield func(*format.Record, error) bool) {
		links, stopped := &linker{ctx: ctx, j: j}, false
		var bad error
		err := j.body.walk(ctx, d, func(rec *format.Record, event []byte) bool {
			if event != nil {
				if bad = links.check(rec, event); bad != nil {
					return false
				}
			}
			stopped = !yield(rec, nil)
			return !stopped
		})
		if err == nil {
			err = bad
		}
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// audit is what one pass over a journal finds out about the whole.
type audit struct {
	mark    string
	events  uint64 // event records, intact or not
	any     bool   // there is an intact event
	maxID   uint64 // of the intact events
	first   uint64 // global sequences of the first and last intact event
	final   uint64
	damaged bool
	dir     directory
}

// audited returns the audit of the journal as it is now.
func (j *journal) audited(ctx context.Context) (*audit, error) {
	mark := j.body.mark()
	j.mu.Lock()
	last := j.last
	j.mu.Unlock()
	if last != nil && last.mark == mark {
		return last, nil
	}
	a := &audit{mark: mark}
	if err := j.body.walk(ctx, bare, a.visit); err != nil {
		return nil, err
	}
	j.mu.Lock()
	j.last = a
	j.mu.Unlock()
	return a, nil
}

func (a *audit) visit(rec *format.Record, event []byte) bool {
	a.damaged = a.damaged || anyDamage(rec.Faults)
	if event == nil {
		return true
	}
	a.events++
	if rec.Sum == format.SumOK {
		s := stampOf(event)
		if !a.any {
			a.any, a.first = true, rec.Seq
		}
		a.final, a.maxID = rec.Seq, max(a.maxID, s.id)
		a.dir.add(s, rec.JournalOffset, rec.End())
	}
	return true
}
