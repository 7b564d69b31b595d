package ext4

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// TestOpen compares the superblock to what dumpe2fs says of it.
func TestOpen(t *testing.T) {
	forEach(t, func(t *testing.T, r recipe, image string) {
		fs := openImage(t, image)
		if len(fs.Faults) != 0 || fs.Backup != -1 {
			t.Errorf("faults %v, backup %d", fs.Faults, fs.Backup)
		}
		said := dumped(t, image)
		s := &fs.Super
		for name, got := range map[string]uint64{
			"Inode count": uint64(s.Inodes), "Block count": s.Blocks, "Free blocks": s.FreeBlocks, "Free inodes": uint64(s.FreeInodes),
			"First block": s.FirstDataBlock, "Block size": uint64(s.BlockSize), "Blocks per group": s.BlocksPerGroup,
			"Inodes per group": uint64(s.InodesPerGroup), "Inode size": uint64(s.InodeSize), "Mount count": uint64(s.MountCount),
			"Reserved GDT blocks": uint64(s.ReservedDescBlocks), "Group descriptor size": uint64(s.DescSize),
		} {
			text, ok := said[name]
			if want := numbers(text); ok && (len(want) == 0 || got != want[0]) {
				t.Errorf("%s: %d, dumpe2fs says %s", name, got, text)
			}
		}
		if got, want := strings.Join(s.Features(), " "), said["Filesystem features"]; !sameWords(got, want) {
			t.Errorf("features %q, dumpe2fs says %q", got, want)
		}
		if (said["Journal inode"] == "8") != (s.JournalInum == 8) || r.journal != s.JournalBackup.Present {
			t.Errorf("journal inode %d, dumpe2fs says %q; backup %t", s.JournalInum, said["Journal inode"], s.JournalBackup.Present)
		}
		if s.sums() && !s.ChecksumOK {
			t.Errorf("checksum %08x, computed %08x", s.Checksum, s.Computed)
		}
		if got := s.Fields().Text("filesystem"); !strings.HasPrefix(r.name, got) {
			t.Errorf("%s taken for %s", r.name, got)
		}
	})
}

// dumped returns the lines of dumpe2fs -h by their names.
func dumped(t *testing.T, image string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(output(t, "dumpe2fs", "-h", image)) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			out[name] = strings.TrimSpace(value)
		}
	}
	return out
}

func sameWords(a, b string) bool {
	set := map[string]int{}
	for _, w := range words(a) {
		set[w]++
	}
	for _, w := range words(b) {
		set[w]--
	}
	for _, n := range set {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestOpenBackup kills the primary superblock in several ways.
func TestOpenBackup(t *testing.T) {
	forEach(t, func(t *testing.T, r recipe, image string) {
		switch r.name {
		case "ext4-4k", "ext4-64k", "ext4-seed", "ext4-meta-bg", "ext4-meta-bg-flex", "ext4-bigalloc", "ext3-2k-128", "ext2-4k":
			t.Skip("has no backup where one belongs by default")
		}
		want := openImage(t, image)
		whole := readAll(t, want.Source, 1024, 1024)
		for name, damage := range map[string]func(sb []byte){
			"zero":     func(sb []byte) { clear(sb) },
			"magic":    func(sb []byte) { sb[0x38] ^= 1 },
			"geometry": func(sb []byte) { le.PutUint32(sb[0x28:], 0); sealSuper(sb) },
			"sum":      func(sb []byte) { sb[0x3FC] ^= 0x10 },
		} {
			if name == "sum" && !want.Super.sums() {
				continue
			}
			b := bytes.Clone(whole)
			damage(b)
			fs, err := Open(patched{want.Source, 1024, b})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if fs.Backup != 8193*1024 || fs.Super.UUID != want.Super.UUID || fs.Super.Group != 1 {
				t.Errorf("%s: backup at %d, of group %d", name, fs.Backup, fs.Super.Group)
			}
			if !hasCode(fs.Faults, FaultSuper) || name == "sum" != hasCode(fs.Faults, FaultSuperSum) {
				t.Errorf("%s: faults %v", name, fs.Faults)
			}
			if name == "sum" && fs.Faults[0].FlipOffset != 1024+0x3FC {
				t.Errorf("the flipped bit was found at %d", fs.Faults[0].FlipOffset)
			}
			checkJournal(t, r, fs, image)
		}
	})
}

// sealSuper makes the checksum of a superblock right.
func sealSuper(sb []byte) { le.PutUint32(sb[0x3FC:], crc32c(^uint32(0), sb[:0x3FC])) }

func hasCode(faults []format.Fault, code string) bool {
	for _, f := range faults {
		if f.Code == code {
			return true
		}
	}
	return false
}

func TestOpenUnknown(t *testing.T) {
	xfs := make([]byte, 1<<20)
	copy(xfs, "XFSB")
	for _, b := range [][]byte{nil, make([]byte, 1024), make([]byte, 2048), make([]byte, 1<<20), bytes.Repeat([]byte{0xff}, 1<<20), xfs} {
		if _, err := Open(format.NewBytes("noise", b)); !errors.Is(err, format.ErrUnknownFormat) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
}

// TestOpenWrongSumOnly uses a superblock with a wrong checksum when there is
// no backup.
func TestOpenWrongSumOnly(t *testing.T) {
	b := newImage(true).bytes()
	b[1024+0x30] ^= 4
	fs, err := Open(format.NewBytes("image", b))
	if err != nil || fs.Backup != -1 || !hasCode(fs.Faults, FaultSuperSum) {
		t.Fatalf("%v %+v", err, fs)
	}
	if f := fs.Faults[0]; f.FlipOffset != 1024+0x30 || f.FlipBit != 2 {
		t.Errorf("flip found at bit %d of %d", f.FlipBit, f.FlipOffset)
	}
}

func TestOpenUnsupported(t *testing.T) {
	m := newImage(true)
	le.PutUint32(m.super()[0x60:], 0x40|1<<30)
	_, err := Open(format.NewBytes("image", m.bytes()))
	if !errors.Is(err, format.ErrUnsupported) || format.Hint(err) == "" {
		t.Errorf("%v", err)
	}
}

// TestOpenForeign: a stale backup behind another filesystem is not used.
func TestOpenForeign(t *testing.T) {
	r := recipe{name: "ext4", size: "16M", args: words("-t ext4 -b 1024")}
	b, err := os.ReadFile(r.make(t))
	must(t, err)
	clear(b[:4096])
	if _, err := Open(format.NewBytes("image", b)); err != nil {
		t.Fatal(err)
	}
	copy(b, "XFSB")
	if _, err := Open(format.NewBytes("image", b)); !errors.Is(err, format.ErrUnknownFormat) {
		t.Errorf("%v", err)
	}
}

// unreadable fails to read a range.
type unreadable struct {
	format.Source
	from, to int64
}

var errBadSector = errors.New("bad sector")

func (u unreadable) ReadAt(p []byte, off int64) (int, error) {
	if off < u.to && off+int64(len(p)) > u.from {
		return 0, errBadSector
	}
	return u.Source.ReadAt(p, off)
}

func TestOpenBadSector(t *testing.T) {
	src := format.NewBytes("image", newImage(false).bytes())
	if _, err := Open(unreadable{src, 512, 1536}); !errors.Is(err, errBadSector) {
		t.Errorf("%v", err)
	}
	r := recipe{name: "ext4", size: "16M", args: words("-t ext4 -b 1024")}
	good := openImage(t, r.make(t))
	fs, err := Open(unreadable{good.Source, 512, 1536})
	if err != nil || fs.Backup < 0 || !hasCode(fs.Faults, FaultSuper) {
		t.Errorf("%v", err)
	}
}
