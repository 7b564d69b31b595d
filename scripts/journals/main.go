//go:build linux

// Command journals makes the journals of testdata/journals: real ones, written
// by the kernel of the machine it runs on and crashed on purpose, damaged ones
// derived from them, and VexFS ones written by this project's own encoders.
//
//	go run ./scripts/journals [-o DIR] [-only NAME] [-damage]
//
// It needs root, loop devices, e2fsprogs and sfdisk. Structure, names and
// contents are the same every time; times and inode generations are the
// kernel's. With -damage the intact journals in DIR are kept and only the
// damaged ones are made anew, which needs no root and gives the same bytes.
package main

import (
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/vexfs/vexctl/scripts/internal/crash"
)

func main() {
	dir := flag.String("o", "testdata/journals", "where the journals go")
	only := flag.String("only", "", "make only the journals whose name contains this")
	damage := flag.Bool("damage", false, "make only the damaged ones, from the intact ones that are there")
	flag.Parse()
	if err := run(*dir, *only, *damage); err != nil {
		fmt.Fprintln(os.Stderr, "journals:", err)
		os.Exit(1)
	}
}

func run(dir, only string, damageOnly bool) error {
	tmp, err := os.MkdirTemp("", "journals")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if !damageOnly {
		crash.Path()
		if missing := crash.Tools(); os.Geteuid() != 0 || missing != nil {
			return fmt.Errorf("making journals needs root and the programs %s (missing: %s); -damage does not",
				"mke2fs, losetup, mount, umount", strings.Join(missing, ", "))
		}
		for _, r := range recipes {
			if !strings.Contains(r.name, only) {
				continue
			}
			if err := r.make(tmp, dir); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	for _, w := range written {
		if strings.Contains(w.name, only) {
			if err := w.make(tmp, dir); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
		}
	}
	for _, d := range damages {
		if strings.Contains(d.name, only) {
			if err := d.make(tmp, dir); err != nil {
				return fmt.Errorf("%s: %w", d.name, err)
			}
		}
	}
	return nil
}

// pack compresses a file into dir, under its own name and ".gz", without a
// time, so that the same bytes give the same file.
func pack(path, dir string) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(filepath.Join(dir, filepath.Base(path)+".gz"))
	if err != nil {
		return err
	}
	z, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err == nil {
		_, err = io.Copy(z, in)
		err = errors.Join(err, z.Close())
	}
	return errors.Join(err, out.Close())
}

// unpack writes the file compressed at path to dst, sparse.
func unpack(path, dst string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return err
	}
	return os.WriteFile(dst, b, 0o644)
}
