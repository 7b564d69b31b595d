// Package ext4 knows enough of ext2, ext3 and ext4 to find a journal in a
// filesystem and to say what each of the filesystem's blocks is. It never
// writes.
//
// [Open] reads the superblock, or a backup of it when the primary is beyond
// use. [FS.Journal] maps the journal file, from its inode or else from the copy
// of its map that the superblock keeps. An [Explainer] names blocks: by their
// place (the bitmaps, inode tables and descriptors of every group stand in a
// sorted table), by their owner (what the inodes and extent trees seen in the
// log and on disk point to), and by what they contain (directories, extent
// trees and attribute blocks give themselves away).
//
// Numbers in an image are hostile until checked. A pointer outside the
// filesystem is a [format.Fault] and then a hole; a tree is read at most as
// deep as the format allows and each of its blocks once; memory follows what
// is really stored, never what a field claims.
//
// A filesystem whose journal waits for a replay is out of date on disk. The
// superblock, the group descriptors' pointers and the journal's own map do not
// depend on the log; the rest that is read here (owners of blocks, flags of
// groups) may be older than what the log says, which is why an Explainer
// believes what it learned from the log first.
//
// The on-disk format is described in the kernel's Documentation/filesystems/ext4.
// All numbers are little-endian. Sums are CRC-32C without the final inversion.
package ext4
