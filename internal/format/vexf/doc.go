// Package vexf reads and writes VEXF, the block journals of VexFS.
//
// A journal is a superblock and a ring of N blocks of one size. Every block
// that is taken from the ring takes the next sequence number as well, so a
// block's place follows from its sequence, and a block that is not where its
// sequence says is a finding. Nothing ever frees a block: the log runs over its
// own oldest end, and its live window is simply the last N sequences.
//
// Version 1 logs which blocks a transaction touched, and never their contents:
// a descriptor with the block numbers, then a commit. Version 2 (the "full"
// journal) is the same log with an extension behind the superblock and with
// blocks for logged contents, checkpoints and barriers. Logged contents come
// before their descriptor and name no transaction; they belong to the next
// descriptor in the log.
//
// Reading goes in four steps, each in a file of its own:
//
//	find.go          the superblock, or without one (salvage.go) the block
//	                 size that makes most sums come out right
//	survey.go        one pass over the ring: what is in each block
//	window.go        which sequences are alive, and which of them are lost
//	transactions.go  descriptors, commits and data joined into transactions
//
// The result is an analysis of a few dozen bytes a block; contents are never
// held. [Journal.Scan] turns it into records, [Journal.Describe] into a
// summary, and [Journal.Log] into the typed model that a recovery works on.
//
// The checksum is the IEEE CRC-32 without the two inversions, see [Sum]. The
// superblock's own sum includes its former self and so proves nothing; what it
// implies is reported and never held against the journal.
//
// [Writer] makes journals as VexFS did, byte for byte: it keeps the head and
// the sequence, and takes the time from its caller.
//
// The layout of every structure is in docs/formats/vexf.md and, as constants,
// in layout.go.
package vexf
