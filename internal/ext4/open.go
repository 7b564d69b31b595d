package ext4

import (
	"errors"
	"fmt"
	"io"

	"github.com/vexfs/vexctl/internal/format"
)

// FS is a filesystem. It is read-only and safe for concurrent use.
type FS struct {
	Source format.Source
	Super  Super
	// Backup is the byte offset of the backup superblock in use, or -1 when
	// the primary one is.
	Backup int64
	// Faults is what was wrong on the way in.
	Faults []format.Fault
}

// Open reads the superblock at byte 1024, or the first usable backup when that
// one has no magic, a wrong checksum, or an impossible geometry. A superblock
// with a wrong checksum serves when there is nothing better. Bytes that hold no
// filesystem of the family give [format.ErrUnknownFormat], incompatible
// features that nobody has heard of [format.ErrUnsupported].
func Open(src format.Source) (*FS, error) {
	fs := &FS{Source: src, Backup: -1}
	b, err := readSuper(src, superOffset)
	if err != nil && !errors.Is(err, format.ErrTruncated) {
		fs.Faults = append(fs.Faults, fault(src, FaultSuper, superOffset, superSize, "the primary superblock can't be read: %v", err))
	}
	usable := b != nil && fs.primary(b)
	if usable && len(fs.Faults) == 0 {
		return fs, fs.supported()
	}
	s, at := findBackup(src)
	switch {
	case s != nil:
		fs.useBackup(*s, at)
	case !usable && err != nil && !errors.Is(err, format.ErrTruncated):
		return nil, &format.Error{What: fmt.Sprintf("the superblock can't be read: %v", err), Path: src.Name(), Offset: superOffset,
			Hint: "rescue the device into an image first, for example with ddrescue", Err: err}
	case !usable:
		return nil, format.Unknown(src, "holds no ext2, ext3 or ext4 filesystem")
	}
	return fs, fs.supported()
}

// primary takes the primary superblock, notes what is wrong with it, and says
// whether it could serve at a pinch.
func (fs *FS) primary(b []byte) bool {
	if !hasMagic(b) {
		return false
	}
	s := parseSuper(b)
	if s.HasChecksum && !s.ChecksumOK {
		f := fault(fs.Source, FaultSuperSum, superOffset, superSize, "the checksum of the primary superblock is wrong")
		f.Sums(uint64(s.Checksum), uint64(s.Computed), 4)
		f.Flip(castagnoli, b[:0x3FC], 0x3FC, le, s.Computed, s.Checksum)
		fs.Faults = append(fs.Faults, f)
	}
	if why := s.senseless(); why != "" {
		fs.Faults = append(fs.Faults, fault(fs.Source, FaultSuper, superOffset, superSize, "the primary superblock is unusable: %s", why))
		return false
	}
	fs.Super = s
	return true
}

func (fs *FS) useBackup(s Super, at int64) {
	fs.Super, fs.Backup = s, at
	fs.Faults = append(fs.Faults, fault(fs.Source, FaultSuper, superOffset, superSize,
		"the primary superblock is unusable; the backup of group %d, at byte %d, is used", s.Group, format.Place(fs.Source, at)))
}

func (fs *FS) supported() error {
	if odd := fs.Super.Incompat &^ incompatKnown; odd != 0 {
		return format.Unsupported(fs.Source, superOffset+0x60, "a newer version may know them", "the filesystem needs features %#x", odd)
	}
	return nil
}

// readSuper returns the 1024 bytes at off, or nil.
func readSuper(src format.Source, off int64) ([]byte, error) {
	b := make([]byte, superSize)
	if off > src.Size()-superSize {
		return nil, format.ErrTruncated
	}
	if n, err := src.ReadAt(b, off); n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			err = format.ErrTruncated
		}
		return nil, err
	}
	return b, nil
}

// readBlock fills b, which is one block long.
func (fs *FS) readBlock(block uint64, b []byte) error {
	n, err := fs.Source.ReadAt(b, int64(block)*int64(fs.Super.BlockSize))
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return format.ErrTruncated
	}
	return err
}
