//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vexfs/vexctl/internal/event"
	"github.com/vexfs/vexctl/internal/format/semj"
	"github.com/vexfs/vexctl/internal/format/vexf"
)

// writing is a journal that this project's encoders write, the way VexFS did.
type writing struct {
	name string
	to   func(f *os.File) error
}

var written = []writing{
	{"events.semj", writeEvents},
	{"events.stor", writeBlocks},
	{"blocks-v1.vexf", func(f *os.File) error { return writeLog(f, vexf.V1) }},
	{"blocks-v2.vexf", func(f *os.File) error { return writeLog(f, vexf.ModeJournal) }},
}

func (w *writing) make(tmp, dir string) error {
	path := filepath.Join(tmp, w.name)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(w.to(f), f.Close()); err != nil {
		return err
	}
	return pack(path, dir)
}

// story is what the events tell: an agent and two people at work.
func story() []event.Event {
	type step struct {
		typ, path, agent string
		pid              uint32
		tx               uint64
	}
	steps := []step{
		{"system.mount", "/", "", 1, 0},
		{"fs.mkdir", "/src", "", 4711, 0},
		{"fs.create", "/src/main.go", "", 4711, 1},
		{"fs.write", "/src/main.go", "", 4711, 1},
		{"fs.write", "/src/main.go", "", 4711, 1},
		{"fs.rename", "/src/main.go", "", 4711, 2},
		{"agent.query", "/src", "reviewer", 815, 0},
		{"graph.node-create", "/src/main.go", "reviewer", 815, 3},
		{"graph.edge-create", "/src/main.go", "reviewer", 815, 3},
		{"vector.embed", "/src/main.go", "reviewer", 815, 3},
		{"fs.chmod", "/etc/passwd", "", 1000, 0},
		{"fs.delete", "/src/caf\xe9", "", 1000, 0},
		{"fs.truncate", "/var/log/\x1b[2Jmessages", "", 1000, 0},
		{"system.sync", "/", "", 1, 0},
	}
	var out []event.Event
	for i, s := range steps {
		t, err := event.ParseType(s.typ)
		if err != nil {
			panic(err)
		}
		n := uint64(i + 1)
		e := event.Event{ID: n, Type: t, KTime: int64(n) * 1_000_000, HasKTime: true, TimeSeq: n, GlobalSeq: n, LocalSeq: n, PID: s.pid,
			Path: s.path, Inode: 100 + n, FileType: 0o100000, AgentID: s.agent, Transaction: s.tx, Priority: event.Normal, Relevance: 50 + uint32(i)}
		if s.agent != "" {
			e.Intent, e.IntentConfidence, e.Tags = "review the change", 80, "review,code"
			e.ParentEvent, e.RootCause = n-1, 7
		}
		if s.typ == "fs.write" {
			e.Payload = []byte("package main\n")
		}
		out = append(out, e)
	}
	return out
}

func writeEvents(f *os.File) error {
	w, err := semj.NewWriter(f, semj.WriterOptions{Index: true})
	if err != nil {
		return err
	}
	for _, e := range story() {
		x, err := semj.FromSemantic(&e)
		if err != nil {
			return err
		}
		if err := w.Append(x); err != nil {
			return err
		}
	}
	return w.Close()
}

func writeBlocks(f *os.File) error {
	w := semj.NewBlockWriter(f)
	for _, e := range story() {
		x, err := semj.FromSemantic(&e)
		if err != nil {
			return err
		}
		x.Context = nil
		if err := w.Append(x); err != nil {
			return err
		}
	}
	return w.Close()
}

// writeLog writes a block journal of 64 blocks, over whose end the log runs.
func writeLog(f *os.File, mode vexf.Mode) error {
	const blocks = 64
	if err := f.Truncate(blocks * vexf.DefaultBlockSize); err != nil {
		return err
	}
	clock := uint64(1_700_000_000)
	w, err := vexf.NewWriter(f, vexf.Geometry{TotalBlocks: blocks, UID: 1000, GID: 1000, Mode: mode}, func() uint64 { clock++; return clock })
	if err != nil {
		return err
	}
	if err := w.Create(); err != nil {
		return err
	}
	for i := range uint64(30) {
		t := w.Begin(vexf.OpWrite)
		for b := range i%3 + 1 {
			t.LogBlock(1000+10*i+b, fmt.Appendf(nil, "contents of block %d", 1000+10*i+b))
		}
		if err := t.Commit(); err != nil {
			return err
		}
		if mode != vexf.V1 && i%10 == 9 {
			if err := w.Checkpoint(); err != nil {
				return err
			}
		}
	}
	return w.Force()
}
