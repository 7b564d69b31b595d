//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/jbd2"
	"github.com/vexfs/vexctl/scripts/internal/crash"
)

const mib = 1 << 20

// recipe is one journal made by the kernel.
type recipe struct {
	name     string
	size     int64 // of the filesystem
	mkfs     []string
	mount    string
	work     func(w *worker)
	clean    bool   // unmount instead of crashing
	external bool   // the journal is on a device of its own
	table    string // partition table around the filesystem: dos or gpt
	dump     bool   // also keep the journal's bytes alone, as NAME.journal
}

func small(features string, more ...string) []string {
	return append([]string{"-t", "ext4", "-b", "1024", "-N", "256", "-J", "size=1", "-O", features}, more...)
}

const (
	sealed = "metadata_csum,64bit,^resize_inode"
	plain  = "^metadata_csum,^64bit,^resize_inode"
)

var recipes = []recipe{
	{name: "ext4-4k", size: 16 * mib, work: mixed,
		mkfs: []string{"-t", "ext4", "-b", "4096", "-N", "256", "-J", "size=4", "-O", sealed}},
	{name: "ext4-1k-32bit", size: 6 * mib, work: mixed, mkfs: small(plain), dump: true},
	{name: "ext3-1k", size: 6 * mib, work: mixed, mkfs: []string{"-t", "ext3", "-b", "1024", "-N", "256", "-J", "size=1"}},
	{name: "ext4-compat-checksum", size: 6 * mib, work: mixed, mkfs: small(plain), mount: "journal_checksum"},
	{name: "ext4-data-journal", size: 6 * mib, work: logged, mkfs: small(sealed), mount: "data=journal"},
	{name: "ext4-fast-commit", size: 8 * mib, work: fast,
		mkfs: []string{"-t", "ext4", "-b", "1024", "-N", "256", "-J", "size=1,fast_commit_size=64", "-O", sealed + ",fast_commit"}},
	{name: "ext4-external", size: 6 * mib, work: mixed, external: true,
		mkfs: []string{"-t", "ext4", "-b", "1024", "-N", "256", "-O", sealed}},
	{name: "ext4-wrapped", size: 6 * mib, work: wrapped, mkfs: small(sealed)},
	{name: "ext4-revokes", size: 8 * mib, work: revokes,
		mkfs: []string{"-t", "ext4", "-b", "1024", "-N", "512", "-J", "size=1", "-O", sealed}},
	{name: "ext4-two-groups", size: 12 * mib, work: mixed, mkfs: small(sealed)},
	{name: "ext4-names", size: 6 * mib, work: names, mkfs: small(sealed)},
	{name: "ext4-clean", size: 6 * mib, work: mixed, mkfs: small(sealed), clean: true},
	{name: "disk-gpt", size: 6 * mib, work: mixed, mkfs: small(sealed), table: "gpt"},
	{name: "disk-mbr", size: 6 * mib, work: mixed, mkfs: small(plain), table: "dos"},
}

// lead is where the filesystem begins in a disk with a partition table; the
// first partition lies before it.
const lead = 2 * mib

func (r *recipe) uuid() string {
	var sum uint64
	for _, c := range r.name {
		sum = sum*131 + uint64(c)
	}
	return fmt.Sprintf("76657863-746c-4000-a000-%012x", sum&0xffffffffffff)
}

func (r *recipe) make(tmp, dir string) error {
	image := filepath.Join(tmp, r.name+".img")
	o := crash.Options{Image: image, Mount: r.mount}
	if r.external {
		o.Journal = filepath.Join(tmp, r.name+".jdev")
	}
	if err := r.format(&o); err != nil {
		return err
	}
	if err := r.run(o); err != nil {
		return err
	}
	for _, f := range []string{o.Image, o.Journal} {
		if f == "" {
			continue
		}
		if err := pack(f, dir); err != nil {
			return err
		}
	}
	if r.dump {
		dump := filepath.Join(tmp, r.name+".journal")
		if _, err := crash.Run("debugfs", "-R", "dump <8> "+dump, image); err != nil {
			return err
		}
		return pack(dump, dir)
	}
	return nil
}

// format makes the filesystem, within a partition if the recipe says so.
func (r *recipe) format(o *crash.Options) error {
	if err := crash.Image(o.Image, r.size); err != nil {
		return err
	}
	args := r.mkfs
	if r.external {
		if err := crash.Image(o.Journal, 1100*1024); err != nil {
			return err
		}
		if _, err := crash.Run("mke2fs", "-q", "-F", "-U", r.uuid()[:35]+"f", "-b", "1024", "-O", "journal_dev", o.Journal); err != nil {
			return err
		}
		dev, err := crash.Attach(o.Journal, 0)
		if err != nil {
			return err
		}
		defer crash.Detach(dev)
		args = append(args, "-J", "device="+dev)
	}
	if err := crash.Mkfs(o.Image, r.uuid(), args...); err != nil {
		return err
	}
	if r.table == "" {
		return nil
	}
	o.Offset = lead
	return r.wrap(o.Image)
}

// wrap puts the filesystem into the second partition of a disk.
func (r *recipe) wrap(image string) error {
	fs, err := os.ReadFile(image)
	if err != nil {
		return err
	}
	if err := os.Truncate(image, 0); err != nil {
		return err
	}
	if err := os.Truncate(image, lead+int64(len(fs))+mib); err != nil {
		return err
	}
	script := fmt.Sprintf("label: %s\n", r.table)
	ids := []string{"label-id: 0x76657863\n", "", ""}
	if r.table == "gpt" {
		ids = []string{"label-id: " + r.uuid() + "\n", ", uuid=" + r.uuid()[:35] + "1, name=spare", ", uuid=" + r.uuid()[:35] + "2, name=root"}
	}
	script += fmt.Sprintf("%sstart=2048, size=2048, type=L%s\nstart=%d, size=%d, type=L%s\n", ids[0], ids[1], lead/512, len(fs)/512, ids[2])
	table := filepath.Join(filepath.Dir(image), "table")
	if err := os.WriteFile(table, []byte(script), 0o600); err != nil {
		return err
	}
	if _, err := crash.Run("sh", "-c", `sfdisk -q "$1" <"$2"`, "sh", image, table); err != nil {
		return err
	}
	f, err := os.OpenFile(image, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(fs, lead)
	return err
}

func (r *recipe) run(o crash.Options) error {
	fs, err := crash.Mount(o)
	if err != nil {
		return err
	}
	w := &worker{fs: fs, image: o.Image}
	r.work(w)
	if w.err != nil {
		fs.Close()
		return w.err
	}
	if r.clean {
		return fs.Close()
	}
	return fs.Crash()
}

// worker makes changes; after the first failure it does nothing more.
type worker struct {
	fs    *crash.FS
	image string
	err   error
}

func (w *worker) do(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *worker) p(format string, args ...any) string { return w.fs.Path(fmt.Sprintf(format, args...)) }

func (w *worker) commit() {
	if w.err == nil {
		w.do(w.fs.Commit())
	}
}

func (w *worker) mkdir(path string) { w.do(os.Mkdir(path, 0o755)) }

// write creates a file with contents that compress well.
func (w *worker) write(path string, n int) {
	line := []byte(filepath.Base(path) + "\n")
	w.do(os.WriteFile(path, bytes.Repeat(line, n/len(line)+1)[:n], 0o644))
}

func (w *worker) sync(path string) {
	f, err := os.Open(path)
	w.do(err)
	if err == nil {
		w.do(f.Sync())
		f.Close()
	}
}

// mixed is a little of everything, in six transactions, and one that the crash
// drops.
func mixed(w *worker) {
	w.mkdir(w.p("etc"))
	w.mkdir(w.p("home"))
	w.write(w.p("etc/hostname"), 8)
	w.write(w.p("etc/fstab"), 1500)
	w.commit()
	for i := range 8 {
		w.mkdir(w.p("home/user%d", i))
		w.write(w.p("home/user%d/notes", i), 100+900*i)
	}
	w.commit()
	w.do(os.Rename(w.p("home/user1/notes"), w.p("home/user2/moved")))
	w.do(os.Link(w.p("etc/fstab"), w.p("etc/fstab.bak")))
	w.do(os.Symlink("../etc/fstab", w.p("home/short")))
	w.do(os.Symlink("/"+string(bytes.Repeat([]byte("long/"), 30)), w.p("home/long")))
	w.commit()
	w.do(unix.Setxattr(w.p("etc/fstab"), "user.origin", []byte("the installer"), 0))
	w.do(unix.Setxattr(w.p("etc/hostname"), "user.large", bytes.Repeat([]byte("x"), 700), 0))
	w.do(os.Truncate(w.p("home/user7/notes"), 10))
	w.do(os.Chmod(w.p("etc/fstab"), 0o600))
	w.commit()
	for i := range 4 {
		w.do(os.RemoveAll(w.p("home/user%d", i+3)))
	}
	w.commit()
	w.write(w.p("home/after"), 5000)
	w.commit()
	w.write(w.p("never"), 4000)
}

// logged: file contents go through the log, some of them beginning with the
// journal's magic number, so that they are escaped.
func logged(w *worker) {
	magic := []byte{0xC0, 0x3B, 0x39, 0x98}
	for i := range 4 {
		w.write(w.p("text%d", i), 3000)
		w.do(os.WriteFile(w.p("looks-like-a-journal%d", i), bytes.Repeat(magic, 256*(i+1)), 0o644))
		w.commit()
	}
	// Contents that are valid headers of this very log.
	var fake []byte
	for _, typ := range []byte{1, 2, 5, 4} {
		fake = append(fake, magic...)
		fake = append(fake, 0, 0, 0, typ, 0, 0, 0, 7)
		fake = append(fake, make([]byte, 1012)...)
	}
	w.do(os.WriteFile(w.p("fake"), fake, 0o644))
	w.commit()
	w.write(w.p("never"), 3000)
}

// fast: one full commit, then fast commits with every tag that a kernel writes.
func fast(w *worker) {
	w.mkdir(w.p("q"))
	for i := range 6 {
		w.write(w.p("q/a%d", i), 3000)
	}
	w.commit()
	for i := range 3 {
		w.write(w.p("q/new%d", i), 1500)
		w.sync(w.p("q/new%d", i))
	}
	w.do(os.Link(w.p("q/a0"), w.p("q/hard")))
	w.sync(w.p("q/a0"))
	w.do(os.Remove(w.p("q/a1")))
	w.sync(w.p("q/a2"))
	w.do(os.Truncate(w.p("q/a2"), 1100))
	w.sync(w.p("q/a2"))
	w.do(os.Rename(w.p("q/a3"), w.p("q/renamed")))
	w.sync(w.p("q/renamed"))
	w.do(os.Chmod(w.p("q/a5"), 0o600))
	w.sync(w.p("q/a5"))
	w.write(w.p("q/never"), 100)
}

// wrapped: small commits until the live log runs over the end of the ring.
func wrapped(w *worker) {
	w.mkdir(w.p("w"))
	for i := 0; i < 4000 && w.err == nil; i++ {
		dir := w.p("w/d%d", i%50)
		if os.Remove(dir) != nil {
			w.mkdir(dir)
		}
		if i%4 == 3 {
			w.commit()
			if w.err == nil && runsOver(w.image) {
				w.mkdir(w.p("never"))
				return
			}
		}
	}
	w.do(fmt.Errorf("the log did not wrap"))
}

// runsOver reads the journal of the mounted image, whose pages the loop device
// shares, and says whether its log goes on well beyond the end of the ring.
func runsOver(image string) bool {
	src, err := format.Open(image)
	if err != nil {
		return false
	}
	defer src.Close()
	j, err := jbd2.Find(context.Background(), src, format.Options{})
	if err != nil {
		return false
	}
	in, err := j.Describe(context.Background())
	if err != nil {
		return false
	}
	g := in.Geometry
	return g.Num("end_block") >= 40 && g.Num("end_block") < g.Num("tail_block") && g.Num("tail_block") < 960
}

// revokes: directories are made and removed, and their blocks used again.
func revokes(w *worker) {
	w.mkdir(w.p("r"))
	for i := range 180 {
		w.mkdir(w.p("r/d%d", i))
	}
	w.commit()
	for i := range 120 {
		w.do(os.Remove(w.p("r/d%d", i)))
	}
	w.commit()
	for i := range 20 {
		w.write(w.p("r/data%d", i), 2500)
	}
	w.commit()
	for i := range 40 {
		w.mkdir(w.p("r/again%d", i))
	}
	w.commit()
	w.mkdir(w.p("never"))
}

// names: names that a terminal or a program may choke on.
func names(w *worker) {
	for _, n := range []string{"plain", "with space", "quote\"back\\slash", "tab\tnewline\nend", "\x1b[31mred\x1b[0m", "latin1-caf\xe9",
		"\u202egnp.exe", "日本語", "-rf", "comma,semicolon;"} {
		w.write(w.fs.Path(n), 10)
	}
	w.commit()
	w.mkdir(w.p("never"))
}
