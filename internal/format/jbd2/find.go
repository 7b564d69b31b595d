package jbd2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vexfs/vexctl/internal/ext4"
	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/partition"
)

// Format is jbd2's row in the table of formats.
var Format = &format.Format{
	Name:  "jbd2",
	Title: "Linux jbd2, the journal of ext3 and ext4",
	Find:  Find,
	Kinds: []format.Kind{format.Gap, format.Superblock, format.FsSuperblock, format.Descriptor, format.Data,
		format.Commit, format.Revoke, format.FastCommit},
	Rules: append(slices.Clone(Rules), ext4.Rules...),
	Newer: func(a, b uint64) bool { return after(uint32(a), uint32(b)) },
	Docs:  "docs/formats/jbd2.md",
}

// Find looks for a jbd2 journal: src may be the journal itself, an external
// journal device, an ext filesystem, or a disk with a partition table.
func Find(ctx context.Context, src format.Source, opt format.Options) (format.Journal, error) {
	head := make([]byte, superSize)
	n, _ := src.ReadAt(head, 0)
	head = head[:n]
	if isSuper(head) {
		return open(src, opening{at: 0})
	}
	if h, ok := parseHeader(head); ok && n < superSize && (h.typ == typeSuperV1 || h.typ == typeSuperV2) {
		return nil, &format.Error{What: fmt.Sprintf("ends after %d bytes, within the journal superblock", src.Size()), Path: src.Name(), Offset: -1,
			Hint: "get the whole journal: it has at least 1024 blocks", Err: format.ErrTruncated}
	}
	fs, err := ext4.Open(src)
	if err == nil {
		return findInFilesystem(src, fs, opt)
	}
	if !errors.Is(err, format.ErrUnknownFormat) {
		return nil, err
	}
	j, err := findInPartitions(ctx, src, opt)
	if !errors.Is(err, format.ErrUnknownFormat) || !opt.Salvage {
		return j, err
	}
	if looksLikeSuper(head) {
		return open(src, opening{at: 0})
	}
	return salvage(ctx, src)
}

// opening says how a journal was come by.
type opening struct {
	at       uint32 // journal block of the superblock
	where    string
	fs       *ext4.FS // the filesystem it serves
	device   *ext4.FS // the external journal device it lies on
	own      []format.Extent
	found    []format.Fault
	external bool
	guess    *superblock // instead of what the superblock says
	bs       int         // the filesystem's block size, 0 when unknown
}

func findInFilesystem(src format.Source, fs *ext4.FS, opt format.Options) (format.Journal, error) {
	if fs.Super.IsJournalDevice {
		return openDevice(src, fs, nil)
	}
	view, how, faults, err := fs.Journal()
	switch {
	case errors.Is(err, ext4.ErrExternalJournal):
		return findExternal(src, fs, opt)
	case err != nil:
		return nil, err
	}
	if opt.JournalDevice != nil {
		return nil, &format.Error{What: "keeps its journal inside; no journal device belongs to it", Path: src.Name(), Offset: -1,
			Hint: "leave --journal-device out", Err: format.ErrMismatch}
	}
	o := opening{where: how + " of an ext filesystem", fs: fs, found: append(slices.Clone(fs.Faults), faults...), bs: fs.Super.BlockSize}
	if view == nil {
		return lost(src, o), nil
	}
	o.own = slices.Clone(view.Extents())
	slices.SortFunc(o.own, func(a, b format.Extent) int { return int(min(max(a.From-b.From, -1), 1)) })
	return open(view, o)
}

// lost is the journal of a filesystem whose journal inode leads nowhere: no
// bytes, and the faults that say why.
func lost(src format.Source, o opening) *Journal {
	j := &Journal{src: format.NewView(src, nil, 0), where: o.where, fs: o.fs, found: o.found,
		refusal: "the journal inode is damaged"}
	j.geo = geometry{blockSize: o.bs}
	return j
}

// findExternal opens the journal device that goes with a filesystem.
func findExternal(src format.Source, fs *ext4.FS, opt format.Options) (format.Journal, error) {
	uuid := uuidText(fs.Super.JournalUUID[:])
	if opt.JournalDevice == nil {
		return nil, &format.Error{What: "the journal is on another device, with UUID " + uuid, Path: src.Name(), Offset: -1,
			Hint: "name that device with --journal-device", Err: format.ErrNoJournal}
	}
	dev, err := ext4.Open(opt.JournalDevice)
	if err != nil {
		return nil, err
	}
	if !dev.Super.IsJournalDevice {
		return nil, &format.Error{What: "is a filesystem, not an external journal", Path: opt.JournalDevice.Name(), Offset: -1,
			Hint: "name the journal device with UUID " + uuid, Err: format.ErrMismatch}
	}
	return openDevice(opt.JournalDevice, dev, fs)
}

// openDevice opens an external journal; fs is the filesystem it serves, or nil.
func openDevice(src format.Source, dev, fs *ext4.FS) (format.Journal, error) {
	at := uint32(1)
	if dev.Super.BlockSize == 1024 {
		at = 2
	}
	o := opening{at: at, where: "an external journal device", device: dev, fs: fs, external: true,
		bs: dev.Super.BlockSize, found: slices.Clone(dev.Faults)}
	if fs != nil {
		o.found = append(o.found, fs.Faults...)
	}
	return open(src, o)
}

// open makes a Journal of the superblock in block o.at of src.
func open(src format.Source, o opening) (format.Journal, error) {
	raw := make([]byte, superSize)
	off := int64(o.at) * int64(o.bs)
	n, err := src.ReadAt(raw, off)
	j := &Journal{src: src, where: o.where, fs: o.fs, device: o.device, external: o.external, own: o.own, found: o.found, raw: raw}
	j.super = parseSuper(raw)
	if o.guess != nil {
		j.super = *o.guess
	}
	if j.super.magicOK {
		if what := j.super.unknownFeatures(); what != "" && j.sumOK() {
			return nil, format.Unsupported(src, format.Place(src, off), "a newer vexctl may know them", "the journal needs %s, which are unknown here", what)
		}
	} else if o.guess == nil && o.bs != 0 && !validBlockSize(j.super.blockSize) {
		j.super = guess(src, o)
	}
	var complaints []complaint
	j.geo, complaints = newGeometry(&j.super, o.at, src.Size(), o.bs)
	if err != nil && n < superSize {
		j.found = append(j.found, *j.fault(CodeUnreadable, o.at, 1, "the journal superblock can't be read: "+format.Cause(err)))
		j.refuse("its superblock can't be read")
	}
	if held := format.Held(src) / int64(j.geo.blockSize); held < int64(j.geo.blocks) && j.geo.blocks > 0 {
		complaints = append(complaints, complaint{CodeTruncated, fmt.Sprintf("the file ends before block %d of the journal, which has %d", held, j.geo.blocks)})
	}
	j.checkSuper(complaints)
	j.checkExternal()
	return j, nil
}

// sumOK: unknown features are believed only if the superblock's checksum, if
// it has one, is right.
func (j *Journal) sumOK() bool { return !j.super.hasCsum() || j.super.stored == j.super.computed }

func (j *Journal) refuse(why string) {
	if j.refusal == "" {
		j.refusal = why
	}
}

// checkSuper notes what is wrong with the superblock, in the order in which
// the kernel would stumble over it.
func (j *Journal) checkSuper(complaints []complaint) {
	add := func(code, message string) *format.Fault {
		j.found = append(j.found, *j.fault(code, j.geo.superBlock, 1, message))
		f := &j.found[len(j.found)-1]
		f.Length = superSize
		return f
	}
	if !j.super.magicOK || j.super.h.typ != typeSuperV1 && j.super.h.typ != typeSuperV2 {
		add(CodeSuperMagic, fmt.Sprintf("the journal superblock begins with %x and type %d", j.raw[:4], be.Uint32(j.raw[4:])))
		j.refuse("its superblock is not one")
	}
	if !j.sumOK() && j.super.magicOK {
		f := add(CodeSuperChecksum, "the journal superblock's checksum is wrong")
		noteSums(f, j.raw, superSumAt, j.super.stored, j.super.computed)
		j.refuse("its superblock's checksum is wrong")
	}
	if j.lostSums() {
		stored, computed := superSum(j.raw)
		noteSums(add(CodeSuperChecksum, "the journal superblock denies that there are checksums, and has one"), j.raw, superSumAt, stored, computed)
	}
	for _, c := range complaints {
		j.truncated = j.truncated || c.code == CodeTruncated
		add(c.code, c.text)
		j.refuse(c.text)
	}
	if x := j.super.compat &^ compatChecksum; x != 0 {
		add(CodeUnknownCompat, fmt.Sprintf("the journal has unknown compatible features %#x", x))
	}
	if j.super.errno != 0 {
		add(CodeErrno, fmt.Sprintf("the journal was aborted with error %d", j.super.errno))
	}
}

// lostSums says whether the feature bit of the checksums has flipped: then the
// superblock's checksum is right but for that bit, and every tag of the log is
// misread. With an empty log it is the trace of a feature that was turned off.
func (j *Journal) lostSums() bool {
	if !j.super.magicOK || j.super.h.typ != typeSuperV2 || j.super.hasCsum() || j.super.start == 0 || len(j.raw) < superSize {
		return false
	}
	stored, computed := superSum(j.raw)
	at, bit := format.FlippedBit(castagnoli, superSize, stored^computed)
	return at == 0x2B && 1<<bit&(incompatCsumV2|incompatCsumV3) != 0
}

// checkExternal holds an external journal against the filesystem.
func (j *Journal) checkExternal() {
	if !j.external {
		return
	}
	if n := j.super.users; n != 1 {
		j.found = append(j.found, *j.fault(CodeUsers, j.geo.superBlock, 1, fmt.Sprintf("the journal device has %d users", n)))
		j.refuse(fmt.Sprintf("it has %d users", n))
	}
	if j.fs != nil && !bytes.Equal(j.fs.Super.JournalUUID[:], j.super.uuid[:]) {
		j.found = append(j.found, *j.fault(CodeUUID, j.geo.superBlock, 1, fmt.Sprintf("the filesystem wants journal %s, this one is %s",
			uuidText(j.fs.Super.JournalUUID[:]), uuidText(j.super.uuid[:]))))
		j.refuse("it belongs to another filesystem")
	}
}

// findInPartitions looks into each partition of a disk.
func findInPartitions(ctx context.Context, src format.Source, opt format.Options) (format.Journal, error) {
	parts, err := partition.Find(src)
	switch {
	case errors.Is(err, format.ErrUnknownFormat):
		return nil, format.Unknown(src, "there is no jbd2 journal, no ext filesystem and no partition table")
	case err != nil:
		return nil, err
	}
	var found format.Journal
	var names []string
	var trouble error
	for _, p := range parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		view := format.Section(src, p.Start, p.Length)
		j, err := inPartition(ctx, view, opt)
		if err != nil {
			if !errors.Is(err, format.ErrUnknownFormat) && trouble == nil {
				trouble = fmt.Errorf("partition %d: %w", p.Number, err)
			}
			continue
		}
		j.where = strings.TrimPrefix(fmt.Sprintf("%s in partition %d (%s)", j.where, p.Number, p.Scheme), " in ")
		found = j
		names = append(names, fmt.Sprint(p.Number))
	}
	switch {
	case len(names) > 1:
		return nil, &format.Error{What: "has journals in partitions " + strings.Join(names, ", "), Path: src.Name(), Offset: -1,
			Hint: "choose one with --partition N", Err: format.ErrMismatch}
	case found != nil:
		return found, nil
	case trouble != nil:
		return nil, trouble
	}
	return nil, format.Unknown(src, "none of the %d partitions holds an ext filesystem with a journal", len(parts))
}

func inPartition(ctx context.Context, view format.Source, opt format.Options) (*Journal, error) {
	fs, err := ext4.Open(view)
	if err != nil {
		return nil, err
	}
	j, err := findInFilesystem(view, fs, opt)
	if err != nil {
		return nil, err
	}
	return j.(*Journal), nil
}
