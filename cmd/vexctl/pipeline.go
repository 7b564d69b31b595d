package main

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/vexfs/vexctl/internal/format"
)

// pipeline turns the parts of a scan into text, several at once, and writes
// the text in the order of the parts.
type pipeline struct {
	workers  int
	parts    []iter.Seq2[*format.Record, error]
	match    func(*format.Record) bool
	format   func(b []byte, r *format.Record) []byte
	severity func(code string) format.Severity
	damaged  atomic.Bool
}

// chunk is how much text travels at once, and ahead how many chunks may wait
// for their part's turn.
const (
	chunk = 1 << 17
	ahead = 16
)

// buffers are reused, so that the text of a large journal does not become
// garbage faster than it can be collected.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func newBuffer() []byte {
	b := *buffers.Get().(*[]byte)
	if cap(b) == 0 {
		b = make([]byte, 0, chunk+chunk/4)
	}
	return b[:0]
}

func recycle(b []byte) { buffers.Put(&b) }

// errStop ends a scan whose reader has enough.
var errStop = errors.New("enough")

// one formats the records of a part and hands the text to emit, which owns it
// from then on.
func (p *pipeline) one(part iter.Seq2[*format.Record, error], emit func([]byte) error) error {
	b := newBuffer()
	for r, err := range part {
		if err != nil {
			return err
		}
		for i := range r.Faults {
			if p.severity(r.Faults[i].Code) == format.Damage {
				p.damaged.Store(true)
			}
		}
		if !p.match(r) {
			continue
		}
		if b = p.format(b, r); len(b) >= chunk {
			if err := emit(b); err != nil {
				return err
			}
			b = newBuffer()
		}
	}
	return emit(b)
}

// sequential formats part after part and stops after limit records.
func (p *pipeline) sequential(ctx context.Context, w io.Writer, limit int) error {
	n := 0
	inner := p.format
	q := &pipeline{match: p.match, severity: p.severity, format: func(b []byte, r *format.Record) []byte {
		n++
		return inner(b, r)
	}}
	defer func() { p.damaged.Store(p.damaged.Load() || q.damaged.Load()) }()
	for _, part := range p.parts {
		stopping := func(yield func(*format.Record, error) bool) {
			for r, err := range part {
				if !yield(r, err) || n >= limit {
					return
				}
			}
		}
		if err := q.one(stopping, func(b []byte) error { return writeAll(w, b) }); err != nil || n >= limit {
			return err
		}
	}
	return ctx.Err()
}

func writeAll(w io.Writer, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := w.Write(b)
	return err
}

// run formats the parts on several goroutines.
func (p *pipeline) run(ctx context.Context, w io.Writer) error {
	texts := make([]chan []byte, len(p.parts))
	errs := make([]error, len(p.parts))
	for i := range texts {
		texts[i] = make(chan []byte, ahead)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(max(p.workers, 1), len(p.parts)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(p.parts); i = int(next.Add(1)) - 1 {
				errs[i] = p.one(p.parts[i], func(b []byte) error {
					select {
					case texts[i] <- b:
						return nil
					case <-done:
						return errStop
					}
				})
				close(texts[i])
			}
		})
	}
	err := p.collect(w, texts, errs)
	close(done)
	wg.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// collect writes the text of one part after the other.
func (p *pipeline) collect(w io.Writer, texts []chan []byte, errs []error) error {
	for i, t := range texts {
		for b := range t {
			if err := writeAll(w, b); err != nil {
				return err
			}
			recycle(b)
		}
		if errs[i] != nil {
			return errs[i]
		}
	}
	return nil
}
