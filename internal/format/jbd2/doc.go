// Package jbd2 decodes the journal of ext3 and ext4 as Linux's jbd2 writes it.
//
// The journal is a ring of blocks. A transaction is one or more descriptor
// blocks, each followed by the blocks it describes, perhaps revoke blocks, and
// a commit block; all carry the transaction's number, the tid. Nothing says
// how long the log is: it starts where the superblock says, and ends at the
// first block that does not continue it. docs/formats/jbd2.md has the bytes.
//
// Reading happens in two steps. The first ([Journal.Describe]) walks the live
// log exactly as the kernel's recovery does in its scan pass, and so knows
// which transactions the kernel would replay and whether it would refuse the
// journal. Then it looks at all the rest of the ring, because the end of the
// log and a damaged block in its middle look the same: a valid transaction
// beyond the end is one that kernel, e2fsck and debugfs lose without a word.
// The second step ([Journal.Scan]) yields the records, checks every checksum
// and says where in the log's life each record stands.
//
// Where the kernel and e2fsck differ, the kernel decides.
package jbd2
