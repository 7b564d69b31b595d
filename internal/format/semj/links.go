package semj

import (
	"context"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// linker checks the links of intact events: both ends exist, and the cause is
// not later than the effect. The audit it needs is made at the first link.
type linker struct {
	ctx  context.Context
	j    *journal
	find *finder
}

// check adds the faults of the links of the event b to its record.
func (l *linker) check(rec *format.Record, b []byte) error {
	if rec.Sum != format.SumOK || sizesOf(b).links == 0 {
		return nil
	}
	if l.find == nil {
		a, err := l.j.audited(l.ctx)
		if err != nil {
			return err
		}
		l.find = &finder{ctx: l.ctx, body: l.j.body, dir: &a.dir}
	}
	self := stampOf(b)
	for at := len(b) - LinkSize*sizesOf(b).links; at < len(b); at += LinkSize {
		if err := l.one(rec, self, decodeLink(b[at:at+LinkSize]), at); err != nil {
			return err
		}
	}
	return nil
}

// one checks one link, which lies at byte at of the event.
func (l *linker) one(rec *format.Record, self stamp, k Link, at int) error {
	cause, ca, err := l.end(self, k.Cause)
	if err != nil {
		return err
	}
	effect, ea, err := l.end(self, k.Effect)
	if err != nil {
		return err
	}
	switch {
	case ca == absent:
		l.fault(rec, CodeLinkUnknownEvent, fmt.Sprintf("a link names event %d as the cause, which is not there", k.Cause), self, k, at)
	case ea == absent:
		l.fault(rec, CodeLinkUnknownEvent, fmt.Sprintf("a link names event %d as the effect, which is not there", k.Effect), self, k, at)
	case ca == present && ea == present && cause > effect:
		l.fault(rec, CodeLinkTimeOrder, fmt.Sprintf("event %d is said to cause event %d, which came %d ns earlier", k.Cause, k.Effect, cause-effect), self, k, at)
	}
	return nil
}

// end looks one end of a link up; the event that carries the link is at hand.
func (l *linker) end(self stamp, id uint64) (int64, answer, error) {
	if id == self.id {
		return self.ktime, present, nil
	}
	return l.find.find(id)
}

func (l *linker) fault(rec *format.Record, code, what string, self stamp, k Link, at int) {
	f := rec.Fault(code, what)
	f.Fields.Uint("event_id", evID, 8, self.id)
	f.Fields.Uint("cause", at+lnkCause, 8, k.Cause)
	f.Fields.Uint("effect", at+lnkEffect, 8, k.Effect)
}
