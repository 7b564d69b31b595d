package vexf

import "github.com/vexfs/vexctl/internal/format"

// Codes of the faults that a VEXF journal may have.
const (
	CodeSbMagic     = "sb-magic"
	CodeSbTruncated = "sb-truncated"
	CodeSbVersion   = "sb-version"
	CodeSbGeometry  = "sb-geometry"
	CodeSbPointer   = "sb-pointer"
	CodeSbBehind    = "sb-behind"
	CodeSbSHA256    = "sb-sha256"

	CodeStaleGeneration = "stale-generation"

	CodeBlockChecksum   = "block-checksum"
	CodeBlockZeroed     = "block-zeroed"
	CodeBlockNotJournal = "block-not-journal"
	CodeBlockTruncated  = "block-truncated"
	CodeBlockStale      = "block-stale"
	CodeBlockMisplaced  = "block-misplaced"
	CodeBlockSwapped    = "block-swapped"
	CodeBlockType       = "block-type"
	CodeUnreadable      = "unreadable"

	CodeDataSHA256            = "data-sha256"
	CodeCheckpointSHA256      = "checkpoint-sha256"
	CodeDataWithoutDescriptor = "data-without-descriptor"

	CodeTxnCount         = "txn-count"
	CodeTxnListChecksum  = "txn-list-checksum"
	CodeTxnHeadless      = "txn-headless"
	CodeTxnOverwritten   = "txn-overwritten"
	CodeTxnTornTail      = "txn-torn-tail"
	CodeTxnMissingCommit = "txn-missing-commit"
)

var rules = []format.Rule{
	{Code: CodeSbMagic, Severity: format.Damage, Doc: "There is no superblock; the log was put together from the blocks alone."},
	{Code: CodeSbTruncated, Severity: format.Damage, Doc: "The file ends inside the superblock."},
	{Code: CodeSbVersion, Severity: format.Damage, Doc: "The superblock has a major version other than 1; nothing behind it is read."},
	{Code: CodeSbGeometry, Severity: format.Damage, Doc: "The superblock's block size or number of blocks is impossible."},
	{Code: CodeSbPointer, Severity: format.Damage, Doc: "The superblock's head or sequence contradicts the ring or the log, and neither is trusted."},
	{Code: CodeSbBehind, Severity: format.Note, Growing: true, Doc: "The log goes on beyond what the superblock knows, as it does after a crash."},
	{Code: CodeSbSHA256, Severity: format.Warning, Growing: true, Doc: "The superblock's SHA-256 does not match: it was rewritten by a plain superblock write, or damaged."},
	{Code: CodeStaleGeneration, Severity: format.Warning, Doc: "Blocks that would follow on are older than the log before them: they are left over from an earlier journal in the same place."},
	{Code: CodeBlockChecksum, Severity: format.Damage, Doc: "A block of the live log has a wrong checksum."},
	{Code: CodeBlockZeroed, Severity: format.Damage, Doc: "A block of the live log holds only zeros."},
	{Code: CodeBlockNotJournal, Severity: format.Damage, Doc: "A block of the live log holds something that is no journal block."},
	{Code: CodeBlockTruncated, Severity: format.Damage, Doc: "A block of the live log lies beyond the end of the file."},
	{Code: CodeBlockStale, Severity: format.Damage, Doc: "A block of the live log still holds what an earlier lap left there: the write never arrived."},
	{Code: CodeBlockMisplaced, Severity: format.Damage, Doc: "A block of the live log holds a sound block that belongs elsewhere."},
	{Code: CodeBlockSwapped, Severity: format.Note, Doc: "Two writers at once exchanged the places of neighbouring blocks."},
	{Code: CodeBlockType, Severity: format.Warning, Doc: "A sound block of the live log has a type that no version knows; it is skipped."},
	{Code: CodeUnreadable, Severity: format.Damage, Doc: "A block can't be read from its device."},
	{Code: CodeDataSHA256, Severity: format.Note, Doc: "A logged block's SHA-256 fits neither its stored bytes nor those and a tail of zeros: VexFS hashed bytes that it did not store."},
	{Code: CodeCheckpointSHA256, Severity: format.Damage, Doc: "The SHA-256 of a checkpoint or barrier does not match."},
	{Code: CodeDataWithoutDescriptor, Severity: format.Warning, Growing: true, Doc: "A logged block has no descriptor after it, so that it belongs to no transaction and is not applied."},
	{Code: CodeTxnCount, Severity: format.Damage, Doc: "A descriptor and its commit, or a list and its block, disagree on the number of blocks."},
	{Code: CodeTxnListChecksum, Severity: format.Damage, Doc: "A commit's sum over the block list does not match its descriptor's list."},
	{Code: CodeTxnHeadless, Severity: format.Damage, Doc: "A commit has no descriptor."},
	{Code: CodeTxnOverwritten, Severity: format.Note, Doc: "The log ran over the descriptor of its oldest commit."},
	{Code: CodeTxnTornTail, Severity: format.Warning, Growing: true, Doc: "The log ends between a descriptor and its commit."},
	{Code: CodeTxnMissingCommit, Severity: format.Damage, Doc: "The log goes on after a descriptor whose commit is not there."},
}

// severity returns how bad a code is.
func severity(code string) format.Severity {
	for _, r := range rules {
		if r.Code == code {
			return r.Severity
		}
	}
	return format.Damage
}

// Format is VEXF's row in the table of formats.
var Format = &format.Format{
	Name:  "vexf",
	Title: "VexFS block journal (VEXF v1 and v2)",
	Find:  find,
	Kinds: []format.Kind{format.Gap, format.Superblock, format.Descriptor, format.Data, format.Commit,
		format.Revoke, format.Checkpoint, format.Barrier},
	Rules:  rules,
	Writes: true,
	Docs:   "docs/formats/vexf.md",
}
