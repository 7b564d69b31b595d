package ext4

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// ErrExternalJournal: the filesystem keeps its journal on another device.
var ErrExternalJournal = errors.New("external journal")

// candidate is one way to find the journal.
type candidate struct {
	view   *format.View
	how    string
	faults []format.Fault
	mapped uint64
	iblock []byte
	size   int64
	// dead: the inode is not that of a journal. doubtful: its checksum is wrong.
	dead, doubtful bool
	// magic: the first block starts like a journal.
	magic bool
}

func (c *candidate) perfect() bool { return !c.dead && !c.doubtful && c.magic && len(c.faults) == 0 }

// Journal maps the journal file, and says in words where it was found. The
// view's size is the file's, in whole blocks; unmapped parts are holes of the
// view and faults. When inode and backup both lead nowhere, the view is nil and
// the faults say why. A filesystem without a journal gives
// [format.ErrNoJournal], one with a journal elsewhere [ErrExternalJournal].
func (fs *FS) Journal() (view *format.View, how string, faults []format.Fault, err error) {
	if err := fs.hasJournal(); err != nil {
		return nil, "", nil, err
	}
	a := fs.fromInode()
	if a.perfect() {
		return a.view, a.how, nil, nil
	}
	b := fs.fromBackup()
	switch {
	case b.better(a, fs.Super.ChecksumOK):
		return b.view, b.how, append(a.blame(fs, "the copy of its map in the superblock is used"), b.faults...), nil
	case a.mapped == 0 || a.dead:
		return nil, "", append(a.blame(fs, "the superblock holds no usable copy of its map"), b.faults...), nil
	}
	return a.view, a.how, a.faults, nil
}

func (fs *FS) hasJournal() error {
	s := &fs.Super
	switch {
	case s.IsJournalDevice:
		return &format.Error{What: "this is a journal device, not a filesystem", Path: fs.Source.Name(), Offset: -1,
			Hint: "its journal serves another filesystem", Err: format.ErrNoJournal}
	case s.Compat&compatHasJournal == 0:
		return &format.Error{What: "the filesystem has no journal", Path: fs.Source.Name(), Offset: -1,
			Hint: "there is nothing to replay or inspect; it may be ext2, or its journal was removed with tune2fs", Err: format.ErrNoJournal}
	case s.JournalInum == 0 && (s.JournalUUID != [16]byte{} || s.JournalDevice != 0):
		return &format.Error{What: fmt.Sprintf("the journal is on another device, with UUID %x", s.JournalUUID), Path: fs.Source.Name(),
			Offset: -1, Hint: "name the device or image of the external journal as well", Err: ErrExternalJournal}
	}
	return nil
}

// journalInode is the number the superblock names, or the usual one.
func (fs *FS) journalInode() uint32 {
	if n := fs.Super.JournalInum; n != 0 && n <= fs.Super.Inodes {
		return n
	}
	return journalIno
}

// fromInode reads the journal's inode.
func (fs *FS) fromInode() *candidate {
	ino := fs.journalInode()
	c := &candidate{how: fmt.Sprintf("inode %d", ino)}
	if ino != fs.Super.JournalInum {
		c.fault(fs, FaultInode, superOffset+0xE0, 4, "the superblock names inode %d as the journal's, which can't be; inode %d is tried", fs.Super.JournalInum, ino)
	}
	b, at, copied, ok := fs.readInode(ino)
	if !ok {
		c.dead = true
		c.fault(fs, FaultInode, at, int64(fs.Super.InodeSize), "inode %d can't be read", ino)
		return c
	}
	if copied > 0 {
		c.fault(fs, FaultDescriptor, fs.Super.descOffset((ino-1)/fs.Super.InodesPerGroup), int64(fs.Super.DescSize), "the descriptor of the group of inode %d is damaged; backup %d of it is used", ino, copied)
	}
	n := parseInode(b)
	c.inspect(fs, ino, b, &n, at)
	if c.dead {
		return c
	}
	seed := fs.Super.inodeSeed(ino, n.generation)
	c.read(fs, n.iblock, n.flags&flagExtents != 0, seed, at+0x28, int64(n.size))
	return c
}

// inspect notes what is wrong with the inode itself.
func (c *candidate) inspect(fs *FS, ino uint32, b []byte, n *inode, at int64) {
	why := ""
	switch {
	case n.links == 0:
		why = "it has no links"
	case n.mode&modeType != modeRegular:
		why = "it is no regular file"
	case n.size < uint64(fs.Super.BlockSize):
		why = "it has no size"
	case n.size/uint64(fs.Super.BlockSize) > fs.Super.Blocks:
		why = "it is larger than the filesystem"
	}
	if why != "" {
		c.dead = true
		c.fault(fs, FaultInode, at, int64(len(b)), "inode %d, the journal's, is damaged: %s", ino, why)
	}
	if !fs.Super.sums() || c.dead {
		return
	}
	if stored, right, size := fs.Super.inodeSum(ino, b); stored != right {
		c.doubtful = true
		f := c.fault(fs, FaultMapChecksum, at, int64(len(b)), "the checksum of inode %d, the journal's, is wrong", ino)
		f.Sums(uint64(stored), uint64(right), size)
	}
}

// fromBackup reads the superblock's copy of the inode's map, which does not say
// of which sort it is.
func (fs *FS) fromBackup() *candidate {
	k := &fs.Super.JournalBackup
	c := &candidate{}
	place := max(fs.Backup, superOffset) + 0x10C
	block := int64(fs.Super.BlockSize)
	if !k.Present || k.Size < block || uint64(k.Size/block) > fs.Super.Blocks {
		c.dead = true
		return c
	}
	ino := fs.journalInode()
	c.how = fmt.Sprintf("backup of inode %d in the superblock", ino)
	c.read(fs, k.IBlock[:], isExtentRoot(k.IBlock[:]), fs.Super.inodeSeed(ino, 0), place, k.Size)
	return c
}

// read walks the map in an i_block.
func (c *candidate) read(fs *FS, iblock []byte, extents bool, seed uint32, place, size int64) {
	m := newFileMap(fs, seed, place, size)
	c.iblock, c.size = iblock, size
	if extents {
		m.extents(iblock)
		c.how += fmt.Sprintf(", %d extent%s", m.leaves, plural(m.leaves))
	} else {
		m.blocks(iblock)
		c.how += ", indirect blocks"
	}
	list := m.runs.done()
	if holes := m.runs.limit - m.runs.mapped; holes > 0 && len(m.faults) == 0 {
		m.fault(FaultMap, place, int64(len(iblock)), "%d of the journal's %d blocks are not mapped", holes, m.runs.limit)
	}
	c.faults = append(c.faults, m.faults...)
	c.mapped = m.runs.mapped
	c.view = format.NewView(fs.Source, list, int64(m.runs.limit)*int64(fs.Super.BlockSize))
	var head [4]byte
	n, _ := c.view.ReadAt(head[:], 0)
	c.magic = n == len(head) && bytes.Equal(head[:], []byte{0xC0, 0x3B, 0x39, 0x98})
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

func (c *candidate) fault(fs *FS, code string, off, n int64, message string, args ...any) *format.Fault {
	c.faults = append(c.faults, fault(fs.Source, code, off, n, message, args...))
	return &c.faults[len(c.faults)-1]
}

// better says whether the backup c leads to the journal and the inode a does
// not, or less far. vouched: the superblock's checksum covers the backup.
func (c *candidate) better(a *candidate, vouched bool) bool {
	switch {
	case c.dead || c.mapped == 0:
		return false
	case a.dead || a.mapped == 0:
		return true
	case c.magic != a.magic:
		return c.magic
	case a.doubtful && vouched && (a.size != c.size || !bytes.Equal(a.iblock, c.iblock)):
		return true
	}
	return c.mapped > a.mapped
}

// blame returns the inode's faults, of which one says that it failed as the
// way to the journal, and what came of it.
func (a *candidate) blame(fs *FS, outcome string) []format.Fault {
	for i := range a.faults {
		if f := &a.faults[i]; f.Code == FaultInode {
			f.Message += "; " + outcome
			return a.faults
		}
	}
	ino := fs.journalInode()
	_, at, _, _ := fs.readInode(ino)
	f := fault(fs.Source, FaultInode, at, int64(fs.Super.InodeSize), "inode %d does not lead to the journal; %s", ino, outcome)
	return append([]format.Fault{f}, a.faults...)
}
