//go:build linux

// Command bench prints the table of docs/performance.md for the machine it runs
// on. It makes a big dirty journal, which needs root, and runs vexctl and its
// peers on it in turn.
//
//	go run ./scripts/bench [-mib N] [-runs N] [-keep DIR | -use DIR]
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vexfs/vexctl/scripts/internal/crash"
)

func main() {
	mib := flag.Int("mib", 256, "size of the journal in MiB")
	runs := flag.Int("runs", 5, "how often each command runs")
	keep := flag.String("keep", "", "make the image in this directory and keep it")
	use := flag.String("use", "", "use the image in this directory; needs no root")
	flag.Parse()
	if err := bench(*mib, *runs, *keep, *use); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(mib, runs int, keep, use string) error {
	crash.Path()
	tmp, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	dir := tmp
	switch {
	case use != "":
		dir = use
	case keep != "":
		dir = keep
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	vexctl := filepath.Join(tmp, "vexctl")
	if _, err := crash.Run("go", "build", "-trimpath", "-o", vexctl, "./cmd/vexctl"); err != nil {
		return err
	}
	b := &runner{vexctl: vexctl, image: filepath.Join(dir, "big.img"), dump: filepath.Join(dir, "big.journal"), runs: runs}
	if use == "" {
		if err := b.make(mib); err != nil {
			return err
		}
	}
	if err := b.describe(); err != nil {
		return err
	}
	return b.table()
}

// runner measures on one image.
type runner struct {
	vexctl, image, dump string
	runs                int
}

// make makes the image and a dump of its journal.
func (b *runner) make(mib int) error {
	if missing := crash.Tools(); os.Geteuid() != 0 || missing != nil {
		return fmt.Errorf("making a big dirty journal needs root and e2fsprogs (missing: %s); -use DIR takes one that is there", strings.Join(missing, ", "))
	}
	fmt.Printf("making a dirty journal of %d MiB ...\n", mib)
	if err := big(b.image, int64(mib)<<20); err != nil {
		return err
	}
	if _, err := crash.Run("debugfs", "-R", "dump <8> "+b.dump, b.image); err != nil {
		return err
	}
	// A file written just now may still be changing, so verify would look twice.
	old := time.Now().Add(-time.Hour)
	return os.Chtimes(b.image, old, old)
}

// describe says what is measured, and where.
func (b *runner) describe() error {
	in, err := crash.Run(b.vexctl, "info", b.image)
	if err != nil {
		return err
	}
	before, _, _ := strings.Cut(in, "  filesystem\n")
	for line := range strings.Lines(before) {
		f := strings.Fields(line)
		if len(f) > 1 && slices.Contains([]string{"variant", "size", "committed", "descriptor", "data", "revoke", "block_size", "live_blocks"}, f[0]) {
			fmt.Printf("  %-12s %s\n", f[0], strings.Join(f[1:], " "))
		}
	}
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return err
	}
	model, n := "", 0
	for line := range strings.Lines(string(cpu)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model, n = strings.TrimSpace(value), n+1
		}
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	fmt.Printf("  %-12s %d x %s, load %s\n\n", "machine", n, model, strings.Join(strings.Fields(string(load))[:3], " "))
	return nil
}

// row compares a command of ours with one of somebody else's.
type row struct {
	what     string
	ours     []string
	peer     []string
	peerName string
	goal     string
	met      func(ratio float64) bool // ratio is our time by theirs
}

func (b *runner) rows() []row {
	verify := []string{b.vexctl, "verify", "--quiet", b.image}
	decode := []string{b.vexctl, "decode", "-o", "ndjson", b.image}
	brief := []string{b.vexctl, "decode", "-o", "ndjson", "--no-data-checksums", b.image}
	plain := append(slices.Clone(decode[:len(decode)-1]), "--no-explain", b.image)
	plainBrief := append(slices.Clone(brief[:len(brief)-1]), "--no-explain", b.image)
	jls := []string{"jls", b.image}
	logdump := []string{"debugfs", "-c", "-R", "logdump -a", b.image}
	below := func(limit float64) func(float64) bool { return func(r float64) bool { return r <= limit } }
	return []row{
		{"verify, every checksum", verify, []string{"sh", "-c", `cat "$1" | cat >/dev/null`, "sh", b.dump}, "cat | cat", "≤ 2 (1.2)", below(2)},
		{"verify, every checksum", verify, jls, "jls", "≤ 0.2", below(0.2)},
		{"decode to NDJSON", decode, jls, "jls", "< 1", below(1)},
		{"decode, --no-explain", plain, jls, "jls", "< 1", below(1)},
		{"decode, --no-data-checksums", brief, logdump, "logdump -a", "≤ 3", below(3)},
		{"the same, --no-explain", plainBrief, logdump, "logdump -a", "≤ 3", below(3)},
	}
}

func (b *runner) table() error {
	const form = "%-28s %9s  %-11s %9s  %6s  %-10s %s\n"
	fmt.Printf(form, "what", "median", "against", "median", "ratio", "goal", "met")
	peak := map[string]int64{}
	for _, r := range b.rows() {
		if _, err := exec.LookPath(r.peer[0]); err != nil {
			fmt.Printf(form, r.what, "", r.peerName, "missing", "", r.goal, "")
			continue
		}
		ours, peer, most, err := b.compare(r)
		if err != nil {
			return err
		}
		peak[r.what] = max(peak[r.what], most)
		ratio := ours.Seconds() / peer.Seconds()
		met := "no"
		if r.met(ratio) {
			met = "yes"
		}
		fmt.Printf(form, r.what, seconds(ours), r.peerName, seconds(peer), fmt.Sprintf("%.2f", ratio), r.goal, met)
	}
	fmt.Println()
	for _, r := range b.rows() {
		if most, ok := peak[r.what]; ok {
			fmt.Printf("%-28s peak memory %d MiB (goal: 64 beyond the page cache)\n", r.what, most>>20)
			delete(peak, r.what)
		}
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

// compare runs both commands in turn, after one round that only warms up. It
// returns the medians and our peak memory in bytes.
func (b *runner) compare(r row) (ours, peer time.Duration, most int64, err error) {
	var a, p []time.Duration
	for i := range b.runs + 1 {
		d, rss, err := timed(r.ours)
		if err != nil {
			return 0, 0, 0, err
		}
		e, _, err := timed(r.peer)
		if err != nil {
			return 0, 0, 0, err
		}
		most = max(most, rss)
		if i > 0 {
			a, p = append(a, d), append(p, e)
		}
	}
	return median(a), median(p), most, nil
}

// timed runs a command, its output thrown away.
func timed(command []string) (time.Duration, int64, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return 0, 0, err
	}
	defer null.Close()
	c := exec.Command(command[0], command[1:]...)
	c.Stdout = null
	start := time.Now()
	err = c.Run()
	d := time.Since(start)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // jls says 1 here and there
	}
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	rss := int64(0)
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		rss = int64(u.Maxrss) << 10
	}
	return d, rss, nil
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}
