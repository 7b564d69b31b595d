//go:build linux

// Package crash makes real dirty journals: it creates an ext filesystem in an
// image, mounts it, and stops it the way a power cut would. It needs root, loop
// devices and e2fsprogs.
//
// A commit is forced by fsync of a marker file after a change of its extended
// attributes: sync and syncfs would write the committed metadata home as well,
// and leave a journal whose replay changes nothing. The crash is the shutdown
// ioctl with the flag that throws the running transaction away, then an
// unmount, after which the log is exactly what reached the disk.
package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Tools lists the programs that are needed and not there.
func Tools() (missing []string) {
	for _, name := range []string{"mke2fs", "losetup", "mount", "umount"} {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	return missing
}

// Path puts the directories of the system's administrator on the path, which a
// plain root shell does not always have.
func Path() { os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin") }

// Run runs a program; its output is part of the error.
func Run(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// Image creates a sparse file of that many bytes.
func Image(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

// Mkfs makes a filesystem with a fixed UUID and hash seed in the image.
func Mkfs(image, uuid string, args ...string) error {
	all := []string{"-q", "-F", "-U", uuid, "-E", "hash_seed=" + uuid + ",lazy_itable_init=0,lazy_journal_init=0,nodiscard"}
	_, err := Run("mke2fs", append(append(all, args...), image)...)
	return err
}

// Attach binds an image, from byte offset on, to a loop device.
func Attach(image string, offset int64) (string, error) {
	return Run("losetup", "-f", "--show", "-o", strconv.FormatInt(offset, 10), image)
}

// Detach releases a loop device, which may be busy for a moment.
func Detach(dev string) (err error) {
	for range 50 {
		if _, err = Run("losetup", "-d", dev); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// FS is a mounted filesystem to work in.
type FS struct {
	// Dir is where it is mounted.
	Dir string

	devices []string
	marker  *os.File
	commits int
}

// Options say what to mount.
type Options struct {
	Image   string
	Offset  int64  // of the filesystem in the image
	Journal string // the external journal's image, if it has one
	Mount   string // further mount options
}

// Mount mounts the image with background commits and delayed allocation off,
// so that the log holds what the workload asked for.
func Mount(o Options) (_ *FS, err error) {
	fs := &FS{}
	defer func() {
		if err != nil {
			fs.release()
		}
	}()
	options := "nodelalloc,commit=900"
	if o.Mount != "" {
		options += "," + o.Mount
	}
	dev, err := fs.attach(o.Image, o.Offset)
	if err != nil {
		return nil, err
	}
	if o.Journal != "" {
		journal, err := fs.attach(o.Journal, 0)
		if err != nil {
			return nil, err
		}
		options += ",journal_path=" + journal
	}
	dir, err := os.MkdirTemp("", "crash")
	if err != nil {
		return nil, err
	}
	if _, err := Run("mount", "-t", "ext4", "-o", options, dev, dir); err != nil {
		os.Remove(dir)
		return nil, err
	}
	fs.Dir = dir
	return fs, nil
}

func (f *FS) attach(image string, offset int64) (string, error) {
	dev, err := Attach(image, offset)
	if err == nil {
		f.devices = append(f.devices, dev)
	}
	return dev, err
}

// Commit ends the running transaction and waits until it is in the log.
func (f *FS) Commit() error {
	if f.marker == nil {
		m, err := os.OpenFile(f.Path(".marker"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		f.marker = m
	}
	f.commits++
	if err := unix.Fsetxattr(int(f.marker.Fd()), "user.commit", []byte(strconv.Itoa(f.commits)), 0); err != nil {
		return fmt.Errorf("setxattr on the marker: %w", err)
	}
	return f.marker.Sync()
}

// Path is the path of a file in the filesystem.
func (f *FS) Path(name string) string { return filepath.Join(f.Dir, name) }

// Crash stops the filesystem; what is not in the log yet is lost.
func (f *FS) Crash() error {
	const shutdown, dropLog = 0x8004587D, 2
	d, err := os.Open(f.Dir)
	if err != nil {
		return err
	}
	flag := uint32(dropLog)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, d.Fd(), shutdown, uintptr(unsafe.Pointer(&flag)))
	d.Close()
	if errno != 0 {
		return fmt.Errorf("shut the filesystem down: %w", errno)
	}
	return f.Close()
}

// Close unmounts the filesystem; without a crash before, that is a clean end.
func (f *FS) Close() error {
	if f.marker != nil {
		f.marker.Close()
	}
	_, err := Run("umount", f.Dir)
	return errors.Join(err, os.Remove(f.Dir), f.release())
}

func (f *FS) release() (err error) {
	for _, dev := range f.devices {
		err = errors.Join(err, Detach(dev))
	}
	f.devices = nil
	return err
}
