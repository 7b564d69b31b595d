package jbd2

import "github.com/vexfs/vexctl/internal/format"

// Fault codes. docs/formats/jbd2.md explains each.
const (
	CodeSuperMagic      = "bad-superblock-magic"
	CodeSuperChecksum   = "bad-superblock-checksum"
	CodeSuperGeometry   = "bad-superblock-geometry"
	CodeTruncated       = "truncated-journal"
	CodeUnreadable      = "unreadable"
	CodeDescriptorSum   = "bad-descriptor-checksum"
	CodeRevokeSum       = "bad-revoke-checksum"
	CodeRevokeCount     = "bad-revoke-count"
	CodeRevokeRange     = "revoke-out-of-range"
	CodeCommitSum       = "bad-commit-checksum"
	CodeTransactionSum  = "bad-transaction-checksum"
	CodeDataSum         = "bad-data-checksum"
	CodeRevokedDataSum  = "bad-revoked-data-checksum"
	CodeBlockRange      = "block-out-of-range"
	CodeBlockInJournal  = "block-in-journal"
	CodeDataIsHeader    = "journal-block-as-data"
	CodeNoLastTag       = "no-last-tag"
	CodeOverrun         = "descriptor-overrun"
	CodeHeader          = "damaged-header"
	CodeBeyond          = "transactions-beyond-end"
	CodeDiscarded       = "log-discarded"
	CodeTornTail        = "torn-tail"
	CodeTornCommit      = "torn-commit"
	CodePadding         = "nonzero-padding"
	CodeErrno           = "journal-errno"
	CodeStaleCommit     = "stale-commit"
	CodeImplausible     = "implausible-block"
	CodeNoChecksums     = "no-checksums"
	CodeUnknownCompat   = "unknown-compat-feature"
	CodeFastCommit      = "bad-fast-commit"
	CodeFastCommitLost  = "fast-commits-beyond-end"
	CodeFastCommitTorn  = "torn-fast-commit"
	CodeFastCommitStale = "stale-fast-commits"
	CodeUUID            = "journal-uuid-mismatch"
	CodeUsers           = "journal-users"
)

// Rules lists every fault this package raises.
var Rules = []format.Rule{
	{Code: CodeSuperMagic, Severity: format.Damage, Doc: "The journal superblock does not start with the magic number; the kernel refuses the journal."},
	{Code: CodeSuperChecksum, Severity: format.Damage, Doc: "The journal superblock's checksum is wrong; the kernel refuses the journal."},
	{Code: CodeSuperGeometry, Severity: format.Damage, Doc: "A field of the journal superblock makes no sense, so the kernel refuses the journal."},
	{Code: CodeTruncated, Severity: format.Damage, Doc: "The file ends before the journal does."},
	{Code: CodeUnreadable, Severity: format.Damage, Doc: "The device could not read this block.",
		Outlook: "the kernel would fail where it can't read"},
	{Code: CodeDescriptorSum, Severity: format.Damage, Doc: "A descriptor block's checksum is wrong; the kernel replays nothing at all."},
	{Code: CodeRevokeSum, Severity: format.Damage, Doc: "A revoke block's checksum is wrong; the kernel replays nothing at all."},
	{Code: CodeRevokeCount, Severity: format.Damage, Doc: "A revoke block claims more bytes than a block has; the kernel refuses the journal."},
	{Code: CodeRevokeRange, Severity: format.Warning, Doc: "A revoked block number lies outside the filesystem."},
	{Code: CodeCommitSum, Severity: format.Damage, Doc: "A commit block's checksum is wrong; the kernel stops before this transaction and refuses the journal."},
	{Code: CodeTransactionSum, Severity: format.Damage, Doc: "The checksum over a transaction's blocks is wrong; the kernel stops before it and refuses the journal."},
	{Code: CodeDataSum, Severity: format.Damage, Doc: "A logged block's checksum is wrong; the kernel replays all others and refuses the journal.",
		Outlook: "the kernel would replay the sound blocks and then refuse to mount"},
	{Code: CodeRevokedDataSum, Severity: format.Warning, Doc: "A logged block's checksum is wrong, but a revoke cancels the block, so nobody needs it."},
	{Code: CodeBlockRange, Severity: format.Damage, Doc: "A tag sends a block outside the filesystem; the kernel refuses the journal, e2fsck writes there.",
		Outlook: "the kernel would fail in the middle of the replay"},
	{Code: CodeBlockInJournal, Severity: format.Damage, Doc: "A tag sends a block into the journal itself; a replay would overwrite the log."},
	{Code: CodeDataIsHeader, Severity: format.Damage, Doc: "A block that the descriptor counts as data is a block of the log's own: the descriptor claims too many."},
	{Code: CodeNoLastTag, Severity: format.Warning, Doc: "A descriptor ends without a tag marked as the last."},
	{Code: CodeOverrun, Severity: format.Damage, Doc: "A descriptor claims more blocks than the log has."},
	{Code: CodeHeader, Severity: format.Damage, Doc: "The log ends at a block whose header is damaged: put right, the block continues the log."},
	{Code: CodeBeyond, Severity: format.Damage, Doc: "Valid transactions lie beyond the end of the log; kernel and e2fsck lose them without a word."},
	{Code: CodeDiscarded, Severity: format.Damage, Doc: "The log holds transactions, but the filesystem is not marked as needing recovery: the kernel throws the log away."},
	{Code: CodeTornTail, Severity: format.Warning, Growing: true, Doc: "The last transaction was not finished: a crash. It is not replayed, and need not be."},
	{Code: CodeTornCommit, Severity: format.Warning, Doc: "Only the first part of a commit block is right. The kernel accepts it; e2fsck drops this and all later transactions."},
	{Code: CodePadding, Severity: format.Warning, Doc: "Bytes that are always zero are not."},
	{Code: CodeImplausible, Severity: format.Damage, Doc: "A logged block without a checksum can't be what its place in the filesystem demands."},
	{Code: CodeErrno, Severity: format.Warning, Doc: "The journal was aborted after an error, which it records; the filesystem should be checked."},
	{Code: CodeStaleCommit, Severity: format.Note, Doc: "The log ends at a transaction that an earlier journal left there; its time gives it away."},
	{Code: CodeNoChecksums, Severity: format.Note, Doc: "The journal carries no checksums for these blocks, so damage in them can't be seen."},
	{Code: CodeUnknownCompat, Severity: format.Note, Doc: "The journal uses a compatible feature that is unknown here."},
	{Code: CodeFastCommit, Severity: format.Damage, Doc: "The first fast commit is damaged; the kernel refuses the journal."},
	{Code: CodeFastCommitLost, Severity: format.Damage, Doc: "Valid fast commits lie behind a damaged one; they are lost without a word."},
	{Code: CodeFastCommitTorn, Severity: format.Warning, Growing: true, Doc: "The last fast commit was not finished: a crash."},
	{Code: CodeFastCommitStale, Severity: format.Note, Doc: "The fast-commit area belongs to an earlier transaction; there is nothing to replay in it."},
	{Code: CodeUUID, Severity: format.Damage, Doc: "The external journal belongs to another filesystem."},
	{Code: CodeUsers, Severity: format.Damage, Doc: "The external journal names more than one user, or none; kernel and e2fsck refuse it."},
}
