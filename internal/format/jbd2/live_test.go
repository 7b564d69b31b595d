package jbd2

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/verify"
)

// A journal that is being written while it is verified, again and again, shows
// no error: neither the kernel's unfinished writes nor its overwriting of what
// was just read is damage.
func TestLive(t *testing.T) {
	needLab(t)
	for _, c := range []struct{ name, mkfs, mount string }{
		{"sums", "-b 1024 -J size=1 -O metadata_csum,64bit", ""},
		{"no sums", "-b 1024 -J size=1 -O ^metadata_csum", ""},
		{"old sums", "-b 4096 -J size=4 -O ^metadata_csum", "journal_checksum"},
		{"data", "-b 4096 -J size=4 -O metadata_csum", "data=journal"},
		{"fast commits", "-b 4096 -J size=5,fast_commit_size=256 -O fast_commit", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := makeDisk(t, c.mkfs, c.mount)
			m := d.mount(t)
			defer m.unmount()
			stop := m.busy()
			defer stop()
			committed := 0
			// A single processor may leave the writers waiting for a while.
			patience := time.Now().Add(time.Minute)
			for i := 0; i < 50 || committed == 0 && time.Now().Before(patience); i++ {
				r, err := d.verifyLive()
				must(t, err)
				if !r.OK {
					t.Fatalf("look %d: %s", i, messages(r.Findings))
				}
				committed = max(committed, r.Info.Transactions.Committed)
			}
			if committed == 0 {
				t.Error("nothing was ever committed: this proves nothing")
			}
		})
	}
}

// busy writes to the filesystem until it is stopped.
func (m *mounted) busy() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
					m.bustle(w, i)
				}
			}
		})
	}
	return sync.OnceFunc(func() { close(done); wg.Wait() })
}

// bustle is one of many small changes; what becomes of it is no matter.
func (m *mounted) bustle(worker, i int) {
	name := m.path("w%d-%d", worker, i%20)
	if os.RemoveAll(name); i%3 == 0 {
		os.Mkdir(name, 0o755)
		return
	}
	f, err := os.Create(name)
	if err != nil {
		return
	}
	defer f.Close()
	f.Write(patterned(i, i%9000))
	if i%2 == 0 {
		f.Sync()
	}
	if i%50 == 0 {
		os.WriteFile(m.path("%s", fmt.Sprint("big", worker)), make([]byte, 200<<10), 0o600)
	}
}

// verifyLive verifies a disk that is known to be mounted, as vexctl does.
func (d *disk) verifyLive() (*verify.Report, error) {
	var done func()
	defer func() {
		if done != nil {
			done()
		}
	}()
	open := func() (format.Journal, error) {
		if done != nil {
			done()
			done = nil
		}
		src, opt, closed, err := d.sources()
		if err != nil {
			return nil, err
		}
		done = closed
		return Find(context.Background(), src, opt)
	}
	return verify.Run(context.Background(), open, verify.Options{Rules: Format.Rules, Workers: 2, Volatile: true, Mounted: true})
}
