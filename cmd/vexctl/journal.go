package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/all"
	"github.com/vexfs/vexctl/internal/partition"
)

// where are the flags that say where in a file the journal is.
type where struct {
	format    string
	offset    int64
	partition int
	device    string
}

func (w *where) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.format, "format", "", "take the journal for one of this format: "+strings.Join(all.Names(), ", "))
	f.Int64Var(&w.offset, "offset", 0, "start at this byte of the file")
	f.IntVar(&w.partition, "partition", 0, "look into this partition of a disk image")
	f.StringVar(&w.device, "journal-device", "", "external journal of the filesystem image")
	cmd.MarkFlagsMutuallyExclusive("offset", "partition")
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(all.Names(), cobra.ShellCompDirectiveNoFileComp)))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// opened is a journal with the files that it is read from.
type opened struct {
	journal format.Journal
	format  *format.Format
	files   []*format.File
}

func (o *opened) close() {
	for _, f := range o.files {
		f.Close()
	}
}

// open opens the journal in the file at path.
func (w *where) open(ctx context.Context, path string) (_ *opened, err error) {
	o := &opened{}
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	file, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	o.files = append(o.files, file)
	opt := format.Options{}
	if w.device != "" {
		dev, err := format.Open(w.device)
		if err != nil {
			return nil, err
		}
		o.files = append(o.files, dev)
		opt.JournalDevice = dev
	}
	src, err := w.part(file)
	if err != nil {
		return nil, err
	}
	if w.format == "" {
		o.journal, o.format, err = all.Open(ctx, src, opt)
		return o, err
	}
	if o.format, err = all.Named(w.format); err != nil {
		return nil, err
	}
	o.journal, err = all.OpenAs(ctx, o.format, src, opt)
	return o, err
}

// part applies --offset and --partition.
func (w *where) part(file *format.File) (format.Source, error) {
	switch {
	case w.offset < 0 || w.offset > file.Size():
		return nil, fmt.Errorf("--offset %d is outside %s, which has %d bytes", w.offset, file.Name(), file.Size())
	case w.offset > 0:
		return format.Section(file, w.offset, file.Size()-w.offset), nil
	case w.partition == 0:
		return file, nil
	}
	parts, err := partition.Find(file)
	if err != nil {
		return nil, err
	}
	var numbers []string
	for _, p := range parts {
		if p.Number == w.partition {
			return format.Section(file, p.Start, p.Length), nil
		}
		numbers = append(numbers, fmt.Sprint(p.Number))
	}
	return nil, fmt.Errorf("%s has no partition %d; it has %s", file.Name(), w.partition, strings.Join(numbers, ", "))
}

// journalArgs returns the journals named, or the one that is meant when none
// is: $VEXCTL_JOURNAL, else the only *.journal in the working directory.
func journalArgs(args []string) ([]string, error) {
	if len(args) > 0 {
		return args, nil
	}
	if p := os.Getenv("VEXCTL_JOURNAL"); p != "" {
		return []string{p}, nil
	}
	found, err := filepath.Glob("*.journal")
	if err != nil {
		return nil, err
	}
	switch len(found) {
	case 1:
		return found, nil
	case 0:
		return nil, usage("name one, or set VEXCTL_JOURNAL", "no journal named, and there is no *.journal here")
	}
	return nil, usage("name one, or set VEXCTL_JOURNAL", "no journal named, and there are several here: %s", strings.Join(found, ", "))
}

// volatile says whether somebody may be writing one of the files: it is a block
// device, or was written not long ago. mounted says that the kernel has it in
// use.
func (o *opened) volatile() (volatile, mounted bool) {
	for _, f := range o.files {
		st, err := f.Stat()
		if err != nil {
			return true, mounted
		}
		inUse := isMounted(f.Name(), st)
		mounted = mounted || inUse
		volatile = volatile || inUse || f.IsDevice() || time.Since(st.ModTime()) < time.Minute
	}
	return volatile, mounted
}
