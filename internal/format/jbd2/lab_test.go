package jbd2

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/verify"
)

// The laboratory makes real journals: it mounts a filesystem through a loop
// device, works in it, and cuts its power with the shutdown ioctl, which drops
// what is not in the log yet. Commits are forced by fsync and never by sync,
// which would also write everything home and leave nothing to replay.

// needLab skips a test where no filesystem can be made and mounted.
func needLab(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: mounting a filesystem needs root")
	}
	for _, tool := range []string{"mke2fs", "debugfs", "e2fsck", "tune2fs", "losetup", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT TESTED: %s is not installed", tool)
		}
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		t.Skip("NOT TESTED: there are no loop devices")
	}
}

// try runs a program and returns what it says.
func try(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC", "PAGER=cat", "DEBUGFS_PAGER=cat")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func do(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := try(name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// disk is a filesystem in a file, and perhaps its journal in another.
type disk struct {
	image, journal string
	options        string // of mount
	bs             int
}

// makeDisk makes a filesystem with the options of mke2fs given as one text.
func makeDisk(t testing.TB, mkfs, mount string) *disk {
	t.Helper()
	dir := t.TempDir()
	d := &disk{image: filepath.Join(dir, "image"), options: mount}
	fmt.Sscanf(mkfs[strings.Index(mkfs, "-b ")+3:], "%d", &d.bs)
	sized(t, d.image, 24<<20)
	args := []string{"-q", "-F"}
	if !strings.Contains(mkfs, "-t ") {
		args = append(args, "-t", "ext4")
	}
	args = append(args, strings.Fields(mkfs)...)
	if strings.HasPrefix(mount, "external") {
		d.options = strings.TrimPrefix(mount, "external")
		d.journal = filepath.Join(dir, "journal")
		sized(t, d.journal, int64(1100*d.bs))
		do(t, "mke2fs", "-q", "-F", "-b", fmt.Sprint(d.bs), "-O", "journal_dev", d.journal)
		dev := loop(t, d.journal)
		defer unloop(t, dev)
		args = append(args, "-J", "device="+dev)
	}
	do(t, "mke2fs", append(args, d.image)...)
	return d
}

func sized(t testing.TB, path string, n int64) {
	t.Helper()
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, os.Truncate(path, n))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// loop attaches a file to a loop device, and makes sure that it is free again
// when the test is over.
func loop(t testing.TB, path string) string {
	t.Helper()
	dev := strings.TrimSpace(do(t, "losetup", "-f", "--show", path))
	t.Cleanup(func() {
		if !free(dev, path) {
			try("losetup", "-d", dev)
			t.Errorf("loop device %s was left over", dev)
		}
	})
	return dev
}

// free waits until a file is no longer attached to a device: a device that
// somebody still looks at is detached a moment later.
func free(dev, path string) bool {
	for range 100 {
		out, err := try("losetup", "-n", "-O", "BACK-FILE", dev)
		if err != nil || strings.TrimSpace(out) != path {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

func unloop(t testing.TB, dev string) {
	t.Helper()
	for range 50 {
		if _, err := try("losetup", "-d", dev); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%s can't be detached", dev)
}

// mounted is a filesystem at work.
type mounted struct {
	t     testing.TB
	d     *disk
	dir   string
	devs  []string
	mark  *os.File
	round int
	gone  bool
}

// tryMount mounts the disk; an error is the kernel's refusal.
func (d *disk) tryMount(t testing.TB, options string) (*mounted, error) {
	t.Helper()
	m := &mounted{t: t, d: d, dir: t.TempDir(), devs: []string{loop(t, d.image)}}
	if d.journal != "" {
		m.devs = append(m.devs, loop(t, d.journal))
		options += ",journal_path=" + m.devs[1]
	}
	if out, err := try("mount", "-t", "ext4", "-o", options, m.devs[0], m.dir); err != nil {
		m.detach()
		return nil, fmt.Errorf("%v: %s", err, out)
	}
	t.Cleanup(func() {
		if !m.gone {
			t.Errorf("%s was left mounted", m.dir)
			m.unmount()
		}
	})
	return m, nil
}

func (d *disk) mount(t testing.TB) *mounted {
	t.Helper()
	options := strings.Trim("nodelalloc,commit=900,"+strings.Trim(d.options, ","), ",")
	m, err := d.tryMount(t, options)
	for range 5 {
		if err == nil {
			break
		}
		// Loop devices come and go on all sides; one that was just freed may
		// still be busy.
		t.Logf("mounting once more after: %v", err)
		time.Sleep(200 * time.Millisecond)
		m, err = d.tryMount(t, options)
	}
	must(t, err)
	return m
}

func (m *mounted) detach() {
	for _, dev := range m.devs {
		unloop(m.t, dev)
	}
}

func (m *mounted) unmount() {
	m.t.Helper()
	m.gone = true
	if m.mark != nil {
		m.mark.Close()
	}
	m.leave()
	m.detach()
}

// leave unmounts. A child that another test is just starting may hold our open
// files for a moment, which keeps the mount busy.
func (m *mounted) leave() {
	m.t.Helper()
	out, err := try("umount", m.dir)
	for range 100 {
		if err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
		out, err = try("umount", m.dir)
	}
	m.t.Errorf("umount: %v: %s", err, out)
	try("umount", "-l", m.dir)
}

// crash cuts the power.
func (m *mounted) crash() {
	m.t.Helper()
	const shutdown, dropLog = 0x8004587D, 2
	f, err := os.Open(m.dir)
	must(m.t, err)
	must(m.t, unix.IoctlSetPointerInt(int(f.Fd()), shutdown, dropLog))
	f.Close()
	m.unmount()
}

// commit forces a full commit: extended attributes are nothing that a fast
// commit can hold.
func (m *mounted) commit() {
	m.t.Helper()
	if m.mark == nil {
		f, err := os.Create(m.path(".mark"))
		must(m.t, err)
		m.mark = f
	}
	m.round++
	must(m.t, unix.Fsetxattr(int(m.mark.Fd()), "user.round", fmt.Append(nil, m.round), 0))
	must(m.t, m.mark.Sync())
}

func (m *mounted) path(format string, args ...any) string {
	return filepath.Join(m.dir, fmt.Sprintf(format, args...))
}

func (m *mounted) write(name string, b []byte, sync bool) {
	m.t.Helper()
	f, err := os.Create(m.path("%s", name))
	must(m.t, err)
	_, err = f.Write(b)
	must(m.t, err)
	if sync {
		must(m.t, f.Sync())
	}
	must(m.t, f.Close())
}

func (m *mounted) mkdir(format string, args ...any) {
	m.t.Helper()
	must(m.t, os.Mkdir(m.path(format, args...), 0o755))
}

// copy returns a copy of the disk, to be replayed or damaged.
func (d *disk) copy(t testing.TB) *disk {
	t.Helper()
	c := *d
	dir := t.TempDir()
	for _, f := range []*string{&c.image, &c.journal} {
		if *f != "" {
			to := filepath.Join(dir, filepath.Base(*f))
			do(t, "cp", "--sparse=always", *f, to)
			*f = to
		}
	}
	return &c
}

// sources opens the disk's files as vexctl would.
func (d *disk) sources() (src *format.File, opt format.Options, done func(), err error) {
	if src, err = format.Open(d.image); err != nil {
		return nil, opt, nil, err
	}
	done = func() { src.Close() }
	if d.journal != "" {
		dev, err := format.Open(d.journal)
		if err != nil {
			done()
			return nil, opt, nil, err
		}
		opt.JournalDevice = dev
		done = func() { src.Close(); dev.Close() }
	}
	return src, opt, done, nil
}

// open opens the journal until the test is over.
func (d *disk) open(t testing.TB) *Journal {
	t.Helper()
	src, opt, done, err := d.sources()
	must(t, err)
	t.Cleanup(done)
	j, err := Find(context.Background(), src, opt)
	must(t, err)
	return j.(*Journal)
}

// verify checks the journal as vexctl would.
func (d *disk) verify(t testing.TB) (*verify.Report, error) {
	t.Helper()
	src, opt, done, err := d.sources()
	if err != nil {
		return nil, err
	}
	defer done()
	return verify.Run(context.Background(), func() (format.Journal, error) { return Find(context.Background(), src, opt) },
		verify.Options{Rules: Format.Rules, Workers: 2})
}

// flip flips one bit of the file that holds the journal.
func (d *disk) flip(t testing.TB, off int64, bit int) {
	t.Helper()
	b := d.bytes(t, off, 1)
	d.overwrite(t, off, []byte{b[0] ^ 1<<bit})
}

func (d *disk) holder() string {
	if d.journal != "" {
		return d.journal
	}
	return d.image
}

func (d *disk) bytes(t testing.TB, off int64, n int) []byte {
	t.Helper()
	f, err := os.Open(d.holder())
	must(t, err)
	defer f.Close()
	b := make([]byte, n)
	_, err = f.ReadAt(b, off)
	must(t, err)
	return b
}

func (d *disk) overwrite(t testing.TB, off int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(d.holder(), os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	_, err = f.WriteAt(b, off)
	must(t, err)
}

// patterned is n bytes that are different for each i.
func patterned(i, n int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%06d-", i), n/7+1)[:n]
}
