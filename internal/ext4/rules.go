package ext4

import (
	"fmt"

	"github.com/vexfs/vexctl/internal/format"
)

// Fault codes.
const (
	FaultSuper       = "fs-superblock"
	FaultSuperSum    = "fs-superblock-checksum"
	FaultDescriptor  = "fs-group-descriptor"
	FaultInode       = "journal-inode"
	FaultMap         = "journal-map"
	FaultMapChecksum = "journal-map-checksum"
)

// Rules lists every fault code of this package.
var Rules = []format.Rule{
	{Code: FaultSuper, Severity: format.Damage,
		Doc: "The primary superblock of the filesystem is unusable; a backup was used."},
	{Code: FaultSuperSum, Severity: format.Damage,
		Doc: "The checksum of the filesystem's superblock is wrong."},
	{Code: FaultDescriptor, Severity: format.Warning,
		Doc: "The group descriptor that leads to the journal's inode is damaged; a backup of it was used."},
	{Code: FaultInode, Severity: format.Damage,
		Doc: "The inode of the journal is damaged; the copy in the superblock was used, or the journal was not found."},
	{Code: FaultMap, Severity: format.Damage,
		Doc: "The extent tree or block map of the journal is damaged; parts of the journal are missing."},
	{Code: FaultMapChecksum, Severity: format.Warning,
		Doc: "A checksum in the journal's inode or extent tree is wrong, and the map it covers makes sense."},
}

// fault describes n bytes at byte off of the source. Nothing here has a place
// within a journal.
func fault(src format.Source, code string, off, n int64, message string, args ...any) format.Fault {
	return format.Fault{Code: code, Message: fmt.Sprintf(message, args...), Offset: format.Place(src, off),
		JournalOffset: -1, Length: n, FlipOffset: -1}
}
