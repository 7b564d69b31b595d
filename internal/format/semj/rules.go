package semj

import (
	"cmp"
	"slices"

	"github.com/vexfs/vexctl/internal/format"
)

// Codes of the faults that both formats raise.
const (
	CodeEventChecksum    = "event-checksum"
	CodeEventIDOrder     = "event-id-order"
	CodeEventSequenceGap = "event-sequence-gap"
	CodeEventSize        = "event-size"
	CodeEventTruncated   = "event-truncated"
	CodeEventContextSize = "event-context-size"
	CodeEventType        = "event-type"
	CodeLinkTimeOrder    = "link-time-order"
	CodeLinkUnknownEvent = "link-unknown-event"
	CodeUnreadable       = "unreadable"
)

// Codes of SEMJ files.
const (
	CodeMagic          = "semj-magic"
	CodeVersion        = "semj-version"
	CodeChecksum       = "semj-checksum"
	CodeChecksumUnset  = "semj-checksum-unset"
	CodeCount          = "semj-count"
	CodeNextID         = "semj-next-id"
	CodeSize           = "semj-size"
	CodeTruncated      = "semj-truncated"
	CodeGap            = "semj-gap"
	CodeIndexMismatch  = "index-mismatch"
	CodeIndexTruncated = "index-truncated"
)

// Codes of STOR blocks.
const (
	CodeStorMagic         = "stor-magic"
	CodeStorChecksum      = "stor-checksum"
	CodeStorChecksumUnset = "stor-checksum-unset"
	CodeStorCount         = "stor-count"
	CodeStorEntry         = "stor-entry"
	CodeStorEntryMismatch = "stor-entry-mismatch"
	CodeStorOverflow      = "stor-overflow"
	CodeStorShort         = "stor-short"
)

var eventRules = []format.Rule{
	{Code: CodeEventChecksum, Severity: format.Damage, Doc: "An event's checksum does not match its bytes, so the event is shown but not to be applied."},
	{Code: CodeEventIDOrder, Severity: format.Damage, Doc: "An intact event's id is not above that of the intact event before it."},
	{Code: CodeEventSequenceGap, Severity: format.Warning, Doc: "An intact event's global sequence does not follow that of the intact event before it."},
	{Code: CodeEventSize, Severity: format.Damage, Doc: "An event's size is not the sum of its parts, or a part is larger than allowed."},
	{Code: CodeEventTruncated, Severity: format.Damage, Doc: "An event goes on beyond the place where events end."},
	{Code: CodeEventContextSize, Severity: format.Warning, Doc: "An event's context is neither absent nor of the one defined size."},
	{Code: CodeEventType, Severity: format.Note, Doc: "An event's type is in no list of types."},
	{Code: CodeLinkTimeOrder, Severity: format.Warning, Doc: "A causality link's cause happened after its effect."},
	{Code: CodeLinkUnknownEvent, Severity: format.Warning, Doc: "A causality link names an event that the journal does not hold intact."},
	{Code: CodeUnreadable, Severity: format.Damage, Doc: "The device could not read these bytes."},
}

var semjRules = []format.Rule{
	{Code: CodeMagic, Severity: format.Damage, Doc: "The file header's magic is wrong."},
	{Code: CodeVersion, Severity: format.Damage, Doc: "The file header's version is not 1."},
	{Code: CodeChecksum, Severity: format.Damage, Doc: "The file header's checksum does not match its bytes."},
	{Code: CodeChecksumUnset, Severity: format.Note, Doc: "The file header's checksum was never set."},
	{Code: CodeCount, Severity: format.Damage, Doc: "The file header counts other than the events found."},
	{Code: CodeNextID, Severity: format.Damage, Doc: "The file header's next event id is not above every id in the file."},
	{Code: CodeSize, Severity: format.Warning, Doc: "The file header's size is not the file's."},
	{Code: CodeTruncated, Severity: format.Damage, Doc: "The file ends within its header."},
	{Code: CodeGap, Severity: format.Damage, Doc: "Bytes among the events are no event."},
	{Code: CodeIndexMismatch, Severity: format.Damage, Doc: "The index says other than the event it points at, or points at none."},
	{Code: CodeIndexTruncated, Severity: format.Damage, Doc: "The file ends before its index does."},
}

var storRules = []format.Rule{
	{Code: CodeStorMagic, Severity: format.Damage, Doc: "A block's magic or version is wrong."},
	{Code: CodeStorChecksum, Severity: format.Damage, Doc: "A block's checksum does not match its bytes."},
	{Code: CodeStorChecksumUnset, Severity: format.Note, Doc: "A block's checksum was never set."},
	{Code: CodeStorCount, Severity: format.Damage, Doc: "A block counts more events than fit, or other than its table holds."},
	{Code: CodeStorEntry, Severity: format.Damage, Doc: "A table entry makes no sense, or what it stores can't be expanded."},
	{Code: CodeStorEntryMismatch, Severity: format.Damage, Doc: "A table entry and the event it points at disagree."},
	{Code: CodeStorOverflow, Severity: format.Damage, Doc: "A table entry ends beyond the data area, so its event is lost."},
	{Code: CodeStorShort, Severity: format.Damage, Doc: "The file ends within a block."},
}

// rules joins lists and sorts them by code.
func rules(lists ...[]format.Rule) []format.Rule {
	all := slices.Concat(lists...)
	slices.SortFunc(all, func(a, b format.Rule) int { return cmp.Compare(a.Code, b.Code) })
	return all
}

// damaging holds the codes that make a journal damaged.
var damaging = func() map[string]bool {
	m := map[string]bool{}
	for _, r := range rules(eventRules, semjRules, storRules) {
		m[r.Code] = r.Severity == format.Damage
	}
	return m
}()

func anyDamage(faults []format.Fault) bool {
	return slices.ContainsFunc(faults, func(f format.Fault) bool { return damaging[f.Code] })
}
