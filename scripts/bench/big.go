//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"

	"golang.org/x/sys/unix"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/jbd2"
	"github.com/vexfs/vexctl/scripts/internal/crash"
)

// fill is how much of the journal is used: beyond that jbd2 begins to
// checkpoint, and the log loses its oldest transactions.
const fill = 0.6

// perCommit is how many files go into one transaction, and perDir into one
// directory.
const (
	perCommit = 400
	perDir    = 500
)

// big makes an image whose journal of that many bytes is about 60 % full of
// transactions: file contents and metadata, in blocks of 1 KiB.
func big(image string, journal int64) error {
	if err := crash.Image(image, 3*journal); err != nil {
		return err
	}
	const uuid = "76657863-746c-4000-a000-62656e636800"
	if err := crash.Mkfs(image, uuid, "-t", "ext4", "-b", "1024", "-N", fmt.Sprint(journal>>11), "-J", fmt.Sprintf("size=%d", journal>>20), "-O", "metadata_csum,64bit"); err != nil {
		return err
	}
	fs, err := crash.Mount(crash.Options{Image: image, Mount: "data=journal,noatime"})
	if err != nil {
		return err
	}
	if err := work(fs, image); err != nil {
		fs.Close()
		return err
	}
	return fs.Crash()
}

// filled says how full the log is. The loop device and its file share their
// pages, so this is how it stands now.
func filled(image string) (float64, error) {
	src, err := format.Open(image)
	if err != nil {
		return 0, err
	}
	defer src.Close()
	ctx := context.Background()
	j, err := jbd2.Find(ctx, src, format.Options{})
	if err != nil {
		return 0, err
	}
	in, err := j.Describe(ctx)
	if err != nil {
		return 0, err
	}
	return float64(in.Geometry.Num("live_blocks")) / float64(in.Geometry.Num("log_blocks")), nil
}

// work writes files until the log is as full as it shall be.
func work(fs *crash.FS, image string) error {
	r := rand.New(rand.NewPCG(1, 2))
	var dir string
	content := make([]byte, 16<<10)
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	for i := 0; ; i++ {
		if i%perDir == 0 {
			dir = fs.Path(fmt.Sprintf("d%d", i/perDir))
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
		}
		n := 1 + r.IntN(12<<10)
		if err := os.WriteFile(fmt.Sprintf("%s/f%d", dir, i), body(content[:n], i), 0o644); err != nil {
			return err
		}
		if i%5 == 4 {
			if err := os.Remove(fmt.Sprintf("%s/f%d", dir, i)); err != nil {
				return err
			}
		}
		if i%7 == 6 {
			if err := unix.Setxattr(dir, fmt.Sprintf("user.n%d", i%20), []byte("value"), 0); err != nil {
				return err
			}
		}
		if i%perCommit == perCommit-1 {
			if err := fs.Commit(); err != nil {
				return err
			}
			if now, err := filled(image); err != nil || now >= fill {
				return err
			}
		}
	}
}

// body makes every file different, and some look like blocks of the journal.
func body(b []byte, i int) []byte {
	b = bytes.Clone(b)
	copy(b, fmt.Sprintf("file %d\n", i))
	if i%10 == 0 {
		copy(b, []byte{0xC0, 0x3B, 0x39, 0x98})
	}
	return b
}
