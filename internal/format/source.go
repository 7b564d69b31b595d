package format

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Source is random-access bytes with a size. It is never written.
type Source interface {
	io.ReaderAt
	// Size is in bytes.
	Size() int64
	// Name is what people call it: a path.
	Name() string
}

// Placed is a Source that is a view of another: byte off of the view is byte
// Place(off) of the file that the user named, or -1 where the view has a hole.
type Placed interface {
	Source
	Place(off int64) int64
}

// Place returns where byte off of src lies in the file that the user named.
func Place(src Source, off int64) int64 {
	if p, ok := src.(Placed); ok {
		return p.Place(off)
	}
	return off
}

// File is a Source over a regular file or a block device, opened read-only.
type File struct {
	f      *os.File
	name   string
	size   int64
	device bool
}

// Open opens a regular file or a block device for reading. Anything else (a
// directory, a FIFO, a socket, a character device) is refused without being
// read, and never waited for.
func Open(path string) (*File, error) {
	// O_NONBLOCK keeps a FIFO without a writer from hanging the open.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, openError(path, err)
	}
	src, err := newFile(f, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	return src, nil
}

func newFile(f *os.File, path string) (*File, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, openError(path, err)
	}
	s := &File{f: f, name: path, size: st.Size()}
	switch mode := st.Mode(); {
	case mode.IsRegular():
	case mode&fs.ModeDevice != 0 && mode&fs.ModeCharDevice == 0:
		s.device = true
		if s.size, err = f.Seek(0, io.SeekEnd); err != nil {
			return nil, openError(path, err)
		}
		dropCache(f)
	default:
		return nil, &Error{What: "is " + typeName(mode) + ", not a file or a block device", Path: path, Offset: -1,
			Hint: "name a journal, a disk image or a block device", Err: ErrUnknownFormat}
	}
	return s, nil
}

func openError(path string, err error) error {
	e := &Error{What: "can't be opened", Path: path, Offset: -1, Err: err}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		e.What += ": " + pe.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "reading a device or somebody else's image needs the right to: try sudo"
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "check the path"
	}
	return e
}

func typeName(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeCharDevice != 0:
		return "a character device"
	}
	return fmt.Sprintf("of type %s", m.Type())
}

func (s *File) ReadAt(p []byte, off int64) (int, error) { return s.f.ReadAt(p, off) }

// Size is the size in bytes when the file was opened.
func (s *File) Size() int64 { return s.size }

// Name is the path as given.
func (s *File) Name() string { return s.name }

// IsDevice reports whether the file is a block device.
func (s *File) IsDevice() bool { return s.device }

// Stat describes the open file.
func (s *File) Stat() (fs.FileInfo, error) { return s.f.Stat() }

// Close closes the file.
func (s *File) Close() error { return s.f.Close() }

// NextData returns the first offset at or after off that is not in a hole of a
// sparse file, or the file's size when only holes follow.
func (s *File) NextData(off int64) int64 {
	if s.device {
		return off
	}
	n, err := unix.Seek(int(s.f.Fd()), off, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return s.size
	case err != nil:
		return off
	}
	return n
}

// holes is a Source that knows where it is sparse.
type holes interface {
	NextData(off int64) int64
}

// NextData returns the first offset at or after off that may hold something
// other than a hole. Without knowledge of holes that is off itself.
func NextData(src Source, off int64) int64 {
	if h, ok := src.(holes); ok {
		return min(max(h.NextData(off), off), src.Size())
	}
	return off
}

// Bytes is a Source over memory.
type Bytes struct {
	name string
	b    []byte
}

// NewBytes returns a Source over b, which must not change.
func NewBytes(name string, b []byte) *Bytes { return &Bytes{name, b} }

func (s *Bytes) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	if off >= int64(len(s.b)) {
		return 0, io.EOF
	}
	n := copy(p, s.b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Size is the length in bytes.
func (s *Bytes) Size() int64 { return int64(len(s.b)) }

// Name is the name given.
func (s *Bytes) Name() string { return s.name }
