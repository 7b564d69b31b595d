package ext4

import (
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// TestDamagedMap feeds maps that lie. mapped is how many of the journal's
// blocks are found nevertheless, and code the fault that says what is wrong.
func TestDamagedMap(t *testing.T) {
	for _, c := range []struct {
		name   string
		hurt   func(m *image)
		mapped int64
		code   string
		about  string
	}{
		{"sound", func(m *image) {}, 1024, "", ""},
		{"sound tree", func(m *image) {
			m.root(1, childOf(0, 1200))
			putExtents(m.block(1200)[:1020], 0, extentOf(0, journalAt, 1024))
			m.sealExtents(1200)
		}, 1024, "", ""},
		{"not written yet", func(m *image) { m.extents(extentOf(0, journalAt, 1024+extentInit)) }, 1024, "", ""},
		{"cycle of one", func(m *image) {
			m.root(2, childOf(0, 1200))
			putExtents(m.block(1200)[:1020], 1, childOf(0, 1200))
			m.sealExtents(1200)
		}, 0, FaultMap, "in the map twice"},
		{"block twice", func(m *image) {
			m.root(1, childOf(0, 1200), childOf(512, 1200))
			putExtents(m.block(1200)[:1020], 0, extentOf(0, journalAt, 512))
			m.sealExtents(1200)
		}, 512, FaultMap, "in the map twice"},
		{"depth lies", func(m *image) {
			m.root(1, childOf(0, 1200))
			putExtents(m.block(1200)[:1020], 3, extentOf(0, journalAt, 1024))
			m.sealExtents(1200)
		}, 0, FaultMap, "depth is 3 where 0 belongs"},
		{"too deep", func(m *image) { m.root(6, childOf(0, 1200)) }, 0, FaultMap, "deeper"},
		{"too many entries", func(m *image) { le.PutUint16(m.iblock()[2:], 5) }, 0, FaultMap, "more entries"},
		{"too much room", func(m *image) { le.PutUint16(m.iblock()[4:], 500) }, 0, FaultMap, "room"},
		{"no header", func(m *image) { m.iblock()[0] = 0 }, 0, FaultMap, "no extent header"},
		{"child outside", func(m *image) { m.root(1, childOf(0, 1<<30)) }, 0, FaultMap, "outside the filesystem"},
		{"child at block 0", func(m *image) { m.root(1, childOf(0, 0)) }, 0, FaultMap, "outside the filesystem"},
		{"extent outside", func(m *image) { m.extents(extentOf(0, imageBlocks-10, 1024)) }, 0, FaultMap, "not inside the filesystem"},
		{"half outside", func(m *image) { m.extents(extentOf(0, journalAt, 512), extentOf(512, 1<<31, 512)) }, 512, FaultMap, "not inside"},
		{"empty extent", func(m *image) { m.extents(extentOf(0, journalAt, 0)) }, 0, FaultMap, "extent of 0 blocks"},
		{"overlap", func(m *image) { m.extents(extentOf(0, journalAt, 600), extentOf(512, 700, 512)) }, 600, FaultMap, "overlaps"},
		{"order", func(m *image) { m.extents(extentOf(512, journalAt, 512), extentOf(0, 700, 512)) }, 512, FaultMap, "out of order"},
		{"hole", func(m *image) { m.extents(extentOf(0, journalAt, 100), extentOf(200, 700, 824)) }, 924, FaultMap, "100 of the journal's 1024 blocks"},
		{"empty tree", func(m *image) { m.extents() }, 0, FaultMap, "1024 of the journal's 1024 blocks"},
		{"block checksum", func(m *image) {
			m.root(1, childOf(0, 1200))
			putExtents(m.block(1200)[:1020], 0, extentOf(0, journalAt, 1024))
			m.sealExtents(1200)
			m.block(1200)[8] ^= 1
		}, 1024, FaultMapChecksum, "checksum of block 1200"},
		{"block map", func(m *image) { blockMapped(m, 1500) }, 1024, "", ""},
		{"indirect outside", func(m *image) { blockMapped(m, 1<<20) }, 12, FaultMap, "outside the filesystem"},
		{"indirect cycle", func(m *image) {
			blockMapped(m, 1500)
			le.PutUint32(m.block(1501)[4:], 1501)
			le.PutUint32(m.block(1501)[8:], 1501)
		}, 12 + 512, FaultMap, "in the map twice"},
		{"pointer outside", func(m *image) { blockMapped(m, 1500); le.PutUint32(m.block(1500), 1<<31) }, 1023, FaultMap, "logical block 12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newImage(true)
			c.hurt(m)
			fs, err := Open(format.NewBytes(c.name, m.bytes()))
			must(t, err)
			view, _, faults, err := fs.Journal()
			must(t, err)
			if got := mappedBlocks(view); got != c.mapped {
				t.Errorf("%d blocks mapped, want %d", got, c.mapped)
			}
			if c.code == "" && len(faults) != 0 || c.code != "" && !tells(faults, c.code, c.about) {
				t.Errorf("faults %+v", faults)
			}
			if c.mapped == 0 && (view != nil || !hasCode(faults, FaultInode)) {
				t.Errorf("nothing is mapped: view %v, faults %+v", view, faults)
			}
			if view != nil {
				tiles(t, view)
			}
		})
	}
}

// blockMapped gives the journal's inode a block map. The blocks of pointers
// stand from a given block on, as far as it is in the image.
func blockMapped(m *image, at uint32) {
	le.PutUint32(m.inode()[0x20:], 0)
	clear(m.iblock())
	for i := range uint32(12) {
		le.PutUint32(m.iblock()[4*i:], journalAt+i)
	}
	le.PutUint32(m.iblock()[48:], at)
	le.PutUint32(m.iblock()[52:], at+1)
	if at >= imageBlocks-8 {
		return
	}
	for i := range uint32(4) {
		le.PutUint32(m.block(uint64(at + 1))[4*i:], at+2+i)
	}
	for n := uint32(12); n < 1024; n++ {
		block, i := at, n-12
		if i >= 256 {
			block, i = at+2+(i-256)/256, (i-256)%256
		}
		le.PutUint32(m.block(uint64(block))[4*i:], journalAt+n)
	}
}

func mappedBlocks(view *format.View) (n int64) {
	if view == nil {
		return 0
	}
	for _, e := range view.Extents() {
		if e.From >= 0 {
			n += e.Length / 1024
		}
	}
	return n
}

// tiles checks that extents cover a view.
func tiles(t *testing.T, view *format.View) {
	t.Helper()
	at := int64(0)
	for _, e := range view.Extents() {
		if e.At != at || e.Length <= 0 {
			t.Fatalf("an extent at %d where %d was reached", e.At, at)
		}
		at += e.Length
	}
	if at != view.Size() {
		t.Fatalf("the extents end at %d of %d", at, view.Size())
	}
}

func tells(faults []format.Fault, code, about string) bool {
	for _, f := range faults {
		if f.Code == code && strings.Contains(f.Message, about) && f.Offset >= 0 {
			return true
		}
	}
	return false
}

// TestDamagedInode weighs a damaged inode against the superblock's copy.
func TestDamagedInode(t *testing.T) {
	for _, c := range []struct {
		name   string
		hurt   func(m *image)
		seal   bool
		how    string
		codes  []string
		mapped int64
	}{
		{"sound", func(m *image) {}, true, "inode 8, 1 extent", nil, 1024},
		{"flipped sum", func(m *image) { m.inode()[0x7C] ^= 1 }, false, "inode 8, 1 extent", words(FaultMapChecksum), 1024},
		{"flipped pointer", func(m *image) { m.iblock()[20] ^= 1 }, false, "backup of inode 8 in the superblock, 1 extent", words("journal-inode journal-map-checksum"), 1024},
		{"pointer astray", func(m *image) { m.iblock()[20] ^= 1 }, true, "backup of inode 8 in the superblock, 1 extent", words(FaultInode), 1024},
		{"gone", func(m *image) { clear(m.inode()) }, true, "backup of inode 8 in the superblock, 1 extent", words(FaultInode), 1024},
		{"larger than the filesystem", func(m *image) { le.PutUint32(m.inode()[0x6C:], 1) }, true, "backup of inode 8 in the superblock, 1 extent", words(FaultInode), 1024},
		{"other inode named", func(m *image) { le.PutUint32(m.super()[0xE0:], 999) }, true, "inode 8, 1 extent", words(FaultInode), 1024},
		{"extents flag lost", func(m *image) { le.PutUint32(m.inode()[0x20:], 0) }, true, "backup of inode 8 in the superblock, 1 extent", words("journal-inode journal-map"), 1024},
		{"both gone", func(m *image) { clear(m.inode()); clear(m.backup()) }, true, "", words("journal-inode journal-map"), 0},
		{"backup empty", func(m *image) { clear(m.inode()); clear(m.super()[0x148:0x150]) }, true, "", words(FaultInode), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newImage(true).keep()
			if !c.seal {
				m.bytes()
				c.hurt(m)
				m.sums = false
			} else {
				c.hurt(m)
			}
			fs, err := Open(format.NewBytes(c.name, m.bytes()))
			must(t, err)
			view, how, faults, err := fs.Journal()
			must(t, err)
			if how != c.how || mappedBlocks(view) != c.mapped {
				t.Errorf("%q, %d blocks mapped", how, mappedBlocks(view))
			}
			for _, code := range c.codes {
				if !hasCode(faults, code) {
					t.Errorf("no fault %s among %+v", code, faults)
				}
			}
			if len(c.codes) == 0 && len(faults) != 0 {
				t.Errorf("faults %+v", faults)
			}
			for _, f := range faults {
				if f.Offset < 0 || f.Message == "" || f.FlipOffset != -1 {
					t.Errorf("fault %+v", f)
				}
			}
		})
	}
}

// TestRules: every code that can be raised is declared.
func TestRules(t *testing.T) {
	for _, code := range words(FaultSuper + " " + FaultSuperSum + " " + FaultDescriptor + " " + FaultInode + " " + FaultMap + " " + FaultMapChecksum) {
		found := false
		for _, r := range Rules {
			found = found || r.Code == code && r.Doc != ""
		}
		if !found {
			t.Errorf("no rule %s", code)
		}
	}
}
