package jbd2

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/jbd2/jbd2test"
	"github.com/vexfs/vexctl/internal/verify"
)

// patient is a journal under examination: built, then damaged.
type patient struct {
	*jbd2test.Image
	txn []jbd2test.Place // the live ones
	fs  []byte           // the filesystem around or beside it, once it has one
	bad []int64          // bytes that can't be read
	cut int64            // where the file ends, if not where it should
}

// nowhere stands for a fault without one flipped bit that explains it.
const nowhere = -1

// finding is what a case wants to see: at which byte, and which flipped bit.
type finding struct {
	at   int64
	flip int64 // nowhere, or the byte of the flipped bit
	bit  int
}

// flip flips a bit, and returns the finding that names it in the fault at at.
func (p *patient) flip(at, off int64, bit int) finding {
	p.Flip(off, bit)
	return finding{at, off, bit}
}

// whole is a finding at a block, with no single bit to blame.
func (p *patient) whole(block uint32) finding { return finding{p.Off(block), nowhere, 0} }

// set32 writes a field of a block and makes the block's checksum right again.
func (p *patient) set32(block uint32, at int, v uint32) finding {
	be.PutUint32(p.Block(block)[at:], v)
	p.Seal(block)
	return p.whole(block)
}

var (
	sealedLog = jbd2test.Journal{Log: history(), Seq: 7, Sums: jbd2test.V3}
	plainLog  = jbd2test.Journal{Log: history(), Seq: 7}
	compatLog = jbd2test.Journal{Log: history(), Seq: 7, Sums: jbd2test.Compat}
	deviceLog = jbd2test.Journal{Log: history(), Seq: 7, Sums: jbd2test.V3, External: true}
	fastLog   = jbd2test.Journal{Log: history(), Seq: 7, Sums: jbd2test.V3, FastBlocks: 16, Fast: fastCommitsOf(4)}
)

// faultCases describe every fault there is: what happens to which journal, and
// where the fault must point. Transactions of history() are numbered from 0;
// the first has two blocks and the third has three descriptors.
var faultCases = []struct {
	says string
	code string
	in   jbd2test.Journal
	do   func(p *patient) finding
}{
	{"one bit of the superblock's padding flips", CodeSuperChecksum, sealedLog,
		func(p *patient) finding { return p.flip(0, 0x80, 5) }},
	{"one bit of the superblock's own checksum flips", CodeSuperChecksum, sealedLog,
		func(p *patient) finding { return p.flip(0, 0xFD, 0) }},
	{"the bit that says there are checksums flips", CodeSuperChecksum, sealedLog,
		func(p *patient) finding { return p.flip(0, 0x2B, 4) }},
	{"the superblock inside a filesystem has lost its magic", CodeSuperMagic, sealedLog,
		func(p *patient) finding {
			p.Flip(0, 0)
			p.fs = p.Embed(2000)
			return finding{jbd2test.JournalAt * 1024, nowhere, 0}
		}},
	{"s_first is 0", CodeSuperGeometry, sealedLog,
		func(p *patient) finding { return p.set32(0, 0x14, 0) }},
	{"s_start lies behind the end", CodeSuperGeometry, sealedLog,
		func(p *patient) finding { return p.set32(0, 0x1C, 5000) }},
	{"s_maxlen is less than a kernel takes", CodeSuperGeometry, sealedLog,
		func(p *patient) finding { return p.set32(0, 0x10, 1000) }},
	{"s_blocksize is no power of two", CodeSuperGeometry, sealedLog,
		func(p *patient) finding { return p.set32(0, 0x0C, 1536) }},
	{"the checksum type is unknown", CodeSuperGeometry, sealedLog,
		func(p *patient) finding { p.Super()[0x50] = 1; p.Seal(0); return p.whole(0) }},
	{"the file ends in the middle of the journal", CodeTruncated, sealedLog,
		func(p *patient) finding { p.cut = 600 << 10; return p.whole(0) }},
	{"the disk can't read a logged block", CodeUnreadable, sealedLog,
		func(p *patient) finding {
			at := p.Off(p.txn[2].Data[1].Block)
			p.bad = append(p.bad, at)
			return finding{at, nowhere, 0}
		}},
	{"the disk can't read a descriptor", CodeUnreadable, sealedLog,
		func(p *patient) finding {
			at := p.Off(p.txn[3].Descriptors[0])
			p.bad = append(p.bad, at)
			return finding{at, nowhere, 0}
		}},
	{"one bit of a descriptor flips", CodeDescriptorSum, sealedLog,
		func(p *patient) finding { d := p.Off(p.txn[2].Descriptors[1]); return p.flip(d, d+13, 6) }},
	{"one bit of the checksum at a descriptor's end flips", CodeDescriptorSum, sealedLog,
		func(p *patient) finding { d := p.Off(p.txn[0].Descriptors[0]); return p.flip(d, d+1021, 3) }},
	{"one bit of a revoke block flips", CodeRevokeSum, sealedLog,
		func(p *patient) finding { r := p.Off(p.txn[4].Revokes[0]); return p.flip(r, r+17, 1) }},
	{"a revoke block claims more than it has", CodeRevokeCount, sealedLog,
		func(p *patient) finding {
			r := p.txn[4].Revokes[0]
			p.set32(r, 12, 0x7fffffff)
			return finding{p.Off(r) + 12, nowhere, 0}
		}},
	{"a block beyond the filesystem's end is revoked", CodeRevokeRange, deviceLog,
		func(p *patient) finding {
			p.fs = p.Filesystem(5000)
			return finding{p.Off(p.txn[4].Revokes[0]) + 16 + 2*4, nowhere, 0}
		}},
	{"one bit of a commit's checksum flips", CodeCommitSum, sealedLog,
		func(p *patient) finding { c := p.Off(p.txn[1].Commit); return p.flip(c, c+18, 7) }},
	{"one bit of a commit's time flips", CodeCommitSum, sealedLog,
		func(p *patient) finding { c := p.Off(p.txn[3].Commit); return p.flip(c, c+53, 0) }},
	{"one bit of the last commit flips", CodeCommitSum, sealedLog,
		func(p *patient) finding { c := p.Off(p.txn[5].Commit); return p.flip(c, c+30, 2) }},
	{"one bit of a logged block flips in a journal with the old checksum", CodeTransactionSum, compatLog,
		func(p *patient) finding {
			f := p.flip(0, p.Off(p.txn[2].Data[4].Block)+77, 4)
			f.at = p.Off(p.txn[2].Commit)
			return f
		}},
	{"one bit of a descriptor flips in a journal with the old checksum", CodeTransactionSum, compatLog,
		func(p *patient) finding {
			f := p.flip(0, p.Off(p.txn[2].Descriptors[0])+15, 4)
			f.at = p.Off(p.txn[2].Commit)
			return f
		}},
	{"one bit of a logged block flips", CodeDataSum, sealedLog,
		func(p *patient) finding { d := p.Off(p.txn[3].Data[2].Block); return p.flip(d, d+1000, 0) }},
	{"one bit of the checksum in a tag flips, and the descriptor's is right", CodeDataSum, sealedLog,
		func(p *patient) finding {
			d := p.txn[3].Data[2]
			f := p.flip(p.Off(d.Block), p.Off(d.Descriptor)+int64(d.Tag)+14, 3)
			p.Seal(d.Descriptor)
			return f
		}},
	{"a block is damaged that a later transaction revokes", CodeRevokedDataSum, sealedLog,
		func(p *patient) finding { d := p.Off(p.txn[0].Data[0].Block); return p.flip(d, d+9, 7) }},
	{"a tag sends its block beyond the filesystem's end", CodeBlockRange, deviceLog,
		func(p *patient) finding {
			p.fs = p.Filesystem(302)
			d := p.txn[3].Data[2]
			return finding{p.Off(d.Descriptor) + int64(d.Tag), nowhere, 0}
		}},
	{"a tag sends its block into the journal", CodeBlockInJournal, sealedLog,
		func(p *patient) finding {
			p.fs = p.Embed(2000)
			d := p.txn[0].Data[0]
			return finding{jbd2test.JournalAt*1024 + p.Off(d.Descriptor) + int64(d.Tag), nowhere, 0}
		}},
	{"a descriptor counts the next one and its blocks as its own", CodeDataIsHeader, plainLog,
		func(p *patient) finding {
			p.moreTags(p.txn[2].Descriptors[0], p.txn[2].Data[2].Tag, 1+4)
			return p.whole(p.txn[2].Descriptors[1])
		}},
	{"a logged copy of the filesystem's superblock is none", CodeImplausible, jbd2test.Journal{
		Log: []jbd2test.Txn{{Blocks: jbd2test.Homes(1, 1)}}, Seq: 7},
		func(p *patient) finding {
			p.fs = p.Embed(2000)
			return finding{jbd2test.JournalAt*1024 + p.Off(p.txn[0].Data[0].Block), nowhere, 0}
		}},
	{"no tag of a descriptor is the last, and they happen to fill it", CodeNoLastTag, jbd2test.Journal{
		Log: []jbd2test.Txn{{Blocks: jbd2test.Homes(1, 124)}, {Blocks: jbd2test.Homes(1, 1)}}, Seq: 7},
		func(p *patient) finding {
			d := p.txn[0].Descriptors[0]
			p.Block(d)[p.txn[0].Data[123].Tag+7] &^= 8
			return p.whole(d)
		}},
	{"a descriptor of the last transaction claims more than the ring has left", CodeOverrun, jbd2test.Journal{
		Log: []jbd2test.Txn{{Blocks: jbd2test.Homes(500, 2)}, {Blocks: jbd2test.Homes(500, 400)}, {Blocks: jbd2test.Homes(900, 560)}, {Blocks: jbd2test.Homes(1, 3)}, {Blocks: jbd2test.Homes(1, 3)}}, Seq: 7},
		func(p *patient) finding {
			p.moreTags(p.txn[3].Descriptors[0], 12+8+16, 110)
			return p.whole(p.txn[3].Descriptors[0])
		}},
	{"one bit of a header's magic flips", CodeHeader, sealedLog,
		func(p *patient) finding { c := p.Off(p.txn[2].Commit); return p.flip(c, c+2, 3) }},
	{"one bit of the magic of the last commit flips", CodeHeader, sealedLog,
		func(p *patient) finding { c := p.Off(p.txn[5].Commit); return p.flip(c, c+2, 3) }},
	{"one bit of a header's tid flips", CodeHeader, sealedLog,
		func(p *patient) finding { d := p.Off(p.txn[4].Revokes[0]); return p.flip(d, d+9, 3) }},
	{"a descriptor in the middle was overwritten with zeros", CodeBeyond, sealedLog,
		func(p *patient) finding { clear(p.Block(p.txn[2].Descriptors[0])); return p.whole(p.txn[3].Start) }},
	{"the filesystem does not say that it needs recovery", CodeDiscarded, deviceLog,
		func(p *patient) finding {
			p.fs = p.Filesystem(1 << 31)
			jbd2test.Recovered(p.fs)
			return p.whole(p.SuperBlock)
		}},
	{"the commit block never reached the disk", CodeTornTail, sealedLog,
		func(p *patient) finding { clear(p.Block(p.txn[5].Commit)); return p.whole(p.txn[5].Start) }},
	{"the first block of the last transaction never reached the disk", CodeTornTail, sealedLog,
		func(p *patient) finding { clear(p.Block(p.txn[5].Start)); return p.whole(p.txn[5].Commit) }},
	{"the second sector of a commit block is not zero", CodeTornCommit, sealedLog,
		func(p *patient) finding { c := p.Off(p.txn[1].Commit); return p.flip(c, c+700, 6) }},
	{"bytes behind a commit's time are not zero, and no checksum covers them", CodePadding, plainLog,
		func(p *patient) finding {
			at := p.Off(p.txn[1].Commit) + 300
			p.Flip(at, 1)
			return finding{at, nowhere, 0}
		}},
	{"the journal was aborted", CodeErrno, jbd2test.Journal{Log: history(), Seq: 7, Sums: jbd2test.V3, Errno: -5},
		func(p *patient) finding { return p.whole(0) }},
	{"the log ends where an earlier journal left a transaction with the expected tid", CodeStaleCommit, jbd2test.Journal{
		Log: append(history(), jbd2test.Txn{Blocks: jbd2test.Homes(1, 2), Foreign: true, Sec: 1_000_000}), Seq: 7, Sums: jbd2test.V3},
		func(p *patient) finding { return p.whole(p.txn[6].Start) }},
	{"there are no checksums", CodeNoChecksums, plainLog,
		func(p *patient) finding { return p.whole(0) }},
	{"a compatible feature is unknown", CodeUnknownCompat, sealedLog,
		func(p *patient) finding { return p.set32(0, 0x24, 0x8000) }},
	{"one bit of the first fast commit flips", CodeFastCommit, fastLog,
		func(p *patient) finding { f := p.Off(p.FastFirst); return p.flip(f, f+12+9, 2) }},
	{"one bit of a fast commit with others behind it flips", CodeFastCommitLost, fastLog,
		func(p *patient) finding { f := p.FastEnds[1]; return p.flip(f, f+30, 2) }},
	{"one bit of the last fast commit flips", CodeFastCommitTorn, fastLog,
		func(p *patient) finding { f := p.FastEnds[2]; return p.flip(f, f+6, 2) }},
	{"the fast commits are older than the last full one", CodeFastCommitStale, jbd2test.Journal{
		Log: history(), Seq: 7, Sums: jbd2test.V3, FastBlocks: 16, Fast: []jbd2test.FastCommit{{Tid: 10, Units: fastCommitsOf(1)[0].Units}}},
		func(p *patient) finding { return p.whole(p.FastFirst) }},
	{"the device is another filesystem's journal", CodeUUID, deviceLog,
		func(p *patient) finding {
			p.fs = p.Filesystem(1 << 31)
			p.fs[1024+0xD0]++
			return p.whole(p.SuperBlock)
		}},
	{"the device serves two filesystems", CodeUsers, jbd2test.Journal{External: true, Users: 2, Sums: jbd2test.V3},
		func(p *patient) finding { return p.whole(p.SuperBlock) }},
}

// moreTags writes n more tags into a descriptor without checksums, from byte
// at on, where the last one was.
func (p *patient) moreTags(block uint32, at, n int) {
	b := p.Block(block)
	for i := range n {
		be.PutUint32(b[at:], uint32(800+i))
		be.PutUint16(b[at+6:], flagSameUUID)
		at += 8
	}
	be.PutUint16(b[at-2:], flagSameUUID|flagLastTag)
}

func TestFaults(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range faultCases {
		seen[c.code] = true
		t.Run(c.code+"/"+c.says, func(t *testing.T) {
			p := &patient{Image: c.in.Build()}
			p.txn = p.Live()
			want := c.do(p)
			r := p.examine(t)
			i := slices.IndexFunc(r.Findings, func(f verify.Finding) bool { return f.Code == c.code })
			if i < 0 {
				t.Fatalf("not found, but %s", list(r.Findings))
			}
			f := r.Findings[i]
			if f.Offset != want.at {
				t.Errorf("offset %d, want %d", f.Offset, want.at)
			}
			if f.FlipOffset != want.flip || want.flip != nowhere && f.FlipBit != want.bit {
				t.Errorf("flipped bit %d of byte %d, want bit %d of byte %d", f.FlipBit, f.FlipOffset, want.bit, want.flip)
			}
			if f.Severity != Format.Severity(c.code) {
				t.Errorf("severity %s, want %s", f.Severity, Format.Severity(c.code))
			}
			if r.OK != !slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return f.Severity == format.Damage }) {
				t.Error("the verdict contradicts the findings")
			}
		})
	}
	for _, r := range Rules {
		if !seen[r.Code] {
			t.Errorf("no case raises %s", r.Code)
		}
	}
}

// No intact journal raises anything, but for notes.
func TestNoFaults(t *testing.T) {
	for name, j := range dialects() {
		t.Run(name, func(t *testing.T) {
			p := &patient{Image: j.Build()}
			if r := p.examine(t); !r.OK || len(slices.DeleteFunc(r.Findings, isNote)) > 0 {
				t.Errorf("found %s", list(r.Findings))
			}
		})
	}
}

func isNote(f verify.Finding) bool { return f.Severity == format.Note }

// examine verifies the journal as a user would.
func (p *patient) examine(t *testing.T) *verify.Report {
	t.Helper()
	r, err := verify.Run(context.Background(), func() (format.Journal, error) { return p.open() },
		verify.Options{Rules: Format.Rules, Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (p *patient) open() (format.Journal, error) {
	b := p.Bytes
	if p.cut > 0 {
		b = b[:p.cut]
	}
	var src format.Source = &badDisk{format.NewBytes("journal", b), p.bad}
	opt := format.Options{}
	switch {
	case p.fs != nil && p.External:
		opt.JournalDevice = src
		src = format.NewBytes("filesystem", p.fs)
	case p.fs != nil:
		src = format.NewBytes("filesystem", p.fs)
	}
	return Find(context.Background(), src, opt)
}

// badDisk can't read the bytes at some offsets.
type badDisk struct {
	format.Source
	bad []int64
}

var errMedium = errors.New("medium error")

func (d *badDisk) ReadAt(b []byte, off int64) (int, error) {
	for _, at := range d.bad {
		if off <= at && at < off+int64(len(b)) {
			n, _ := d.Source.ReadAt(b[:at-off], off)
			return n, errMedium
		}
	}
	return d.Source.ReadAt(b, off)
}

func list(fs []verify.Finding) (out []string) {
	for _, f := range fs {
		out = append(out, f.Code)
	}
	return out
}
