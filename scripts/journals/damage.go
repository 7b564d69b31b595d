//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/all"
)

// damage is a journal derived from an intact one.
type damage struct {
	name, from string
	do         func(b []byte, log []*format.Record) error
}

var damages = []damage{
	{"damaged-descriptor-bit.img", "ext4-4k.img", func(b []byte, log []*format.Record) error {
		r := middle(log, format.Descriptor)
		b[r.Offset+14] ^= 1 << 3 // in the block number of the first tag
		return nil
	}},
	{"damaged-data-bit.img", "ext4-4k.img", func(b []byte, log []*format.Record) error {
		r := middle(log, format.Data)
		b[r.Offset+100] ^= 1 << 2
		return nil
	}},
	{"damaged-commit-bit.img", "ext4-4k.img", func(b []byte, log []*format.Record) error {
		r := middle(log, format.Commit)
		b[r.Offset+17] ^= 1 << 6 // in the stored checksum
		return nil
	}},
	{"damaged-torn-tail.img", "ext4-4k.img", func(b []byte, log []*format.Record) error {
		r := last(log, format.Commit)
		clear(b[r.Offset : r.Offset+r.Length])
		return nil
	}},
	{"damaged-magic-mid-log.img", "ext4-4k.img", func(b []byte, log []*format.Record) error {
		r := middle(log, format.Descriptor)
		copy(b[r.Offset:], []byte{0xDE, 0xAD, 0xBE, 0xEF})
		return nil
	}},
	{"damaged-superblock.img", "ext4-4k.img", func(b []byte, log []*format.Record) error {
		r := last(log, format.Superblock)
		clear(b[r.Offset : r.Offset+1024])
		return nil
	}},
	{"damaged-no-checksums.img", "ext4-1k-32bit.img", func(b []byte, log []*format.Record) error {
		r := middle(log, format.Commit)
		b[r.Offset+1] ^= 1 << 4 // in the magic number
		return nil
	}},
	{"damaged-fs-superblock.img", "ext4-two-groups.img", func(b []byte, log []*format.Record) error {
		clear(b[1024:2048])
		return nil
	}},
	{"damaged-event.semj", "events.semj", func(b []byte, log []*format.Record) error {
		r := middle(log, format.Event)
		b[r.Offset+40] ^= 1
		return nil
	}},
}

func (d *damage) make(tmp, dir string) error {
	path := filepath.Join(tmp, d.name)
	if err := unpack(filepath.Join(dir, d.from+".gz"), path); err != nil {
		return err
	}
	log, err := records(path)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := d.do(b, log); err != nil {
		return err
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		return err
	}
	return pack(path, dir)
}

// records lists the records of an intact journal that a recovery would read.
func records(path string) ([]*format.Record, error) {
	src, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	ctx := context.Background()
	j, _, err := all.Open(ctx, src, format.Options{})
	if err != nil {
		return nil, err
	}
	var out []*format.Record
	for r, err := range j.Scan(ctx, format.Scan{LiveOnly: true}) {
		if err != nil {
			return nil, err
		}
		if len(r.Faults) > 0 {
			return nil, fmt.Errorf("%s is damaged already: %s", path, r.Faults[0].Code)
		}
		out = append(out, r.Clone())
	}
	return out, nil
}

func ofKind(log []*format.Record, k format.Kind) (out []*format.Record) {
	for _, r := range log {
		if r.Kind == k {
			out = append(out, r)
		}
	}
	return out
}

func middle(log []*format.Record, k format.Kind) *format.Record {
	list := ofKind(log, k)
	return list[len(list)/2]
}

func last(log []*format.Record, k format.Kind) *format.Record {
	list := ofKind(log, k)
	return list[len(list)-1]
}
