package format

import (
	"context"
	"iter"
)

// Options steer how a journal is found and opened.
type Options struct {
	// Salvage makes a Find accept a journal whose own header is beyond
	// recognition, when enough of the rest is recognisable.
	Salvage bool
	// JournalDevice is the external journal of a filesystem image, or nil.
	JournalDevice Source
}

// Format is one row of the table of formats.
type Format struct {
	// Name is what --format takes, Title what people read.
	Name, Title string
	// Find opens the journal inside src: src itself, or a part of it when the
	// journal lives inside a filesystem. Bytes that are not of this format give
	// [ErrUnknownFormat].
	Find func(ctx context.Context, src Source, opt Options) (Journal, error)
	// Kinds lists the kinds of record that a scan may yield.
	Kinds []Kind
	// Rules lists every fault code that the format raises.
	Rules []Rule
	// Writes says whether this program can also encode the format.
	Writes bool
	// Newer says whether sequence a comes after b; nil means a > b.
	Newer func(a, b uint64) bool
	// Docs is the page that specifies the format.
	Docs string
}

// After says whether sequence a comes after b.
func (f *Format) After(a, b uint64) bool {
	if f.Newer != nil {
		return f.Newer(a, b)
	}
	return a > b
}

// Severity is that of a fault code: Note for one that the format does not have.
func (f *Format) Severity(code string) Severity {
	for i := range f.Rules {
		if f.Rules[i].Code == code {
			return f.Rules[i].Severity
		}
	}
	return Note
}

// Order is the order of a scan.
type Order uint8

const (
	// LogOrder is the order of the history: the live log first, from its tail
	// to its end, then what is left of older laps.
	LogOrder Order = iota
	// Physical is the order of the bytes, from 0 to the journal's size.
	Physical
)

// Scan steers one pass over a journal.
type Scan struct {
	Order Order
	// SkipData leaves the contents of logged blocks unread; their checksums
	// count as unverifiable.
	SkipData bool
	// LiveOnly leaves out what no recovery would read: gaps and what is left of
	// older laps.
	LiveOnly bool
	// Brief leaves [Record.Fields] empty, for callers that only count and check.
	Brief bool
	// Explain says for each logged block what it is to the filesystem around
	// the journal.
	Explain bool
}

// Journal is an opened journal. Its methods are safe for concurrent use, and
// each scan is independent.
type Journal interface {
	// Source is the journal's bytes: offset 0 is where the journal starts.
	Source() Source
	// Describe reads as much as is needed to say what the journal is and which
	// state it is in. Logged contents are read only where the format leaves no
	// other way to tell where the log ends.
	Describe(ctx context.Context) (*Info, error)
	// Scan yields the records. A non-nil error is the last thing yielded.
	Scan(ctx context.Context, s Scan) iter.Seq2[*Record, error]
}

// Watcher is a Journal that can tell at little cost whether it still looks as
// it did when it was opened.
type Watcher interface {
	// Glance returns what a glance at the few bytes that a writer changes first
	// shows. Equal glances mean that, most likely, nothing was written.
	Glance() string
}

// Splitter is a Journal whose scan can be done in parts at once.
type Splitter interface {
	// Split returns scans of at most n parts which, one after the other, yield
	// what the whole scan yields.
	Split(ctx context.Context, s Scan, n int) ([]iter.Seq2[*Record, error], error)
}

// State is a journal's condition.
type State uint8

const (
	// Clean: nothing to recover.
	Clean State = iota
	// Dirty: there are transactions to replay.
	Dirty
	// InUse: it is being written. Shown as "live".
	InUse
	// Damaged: it needs more than a replay.
	Damaged
)

// String returns the state's name in every output format.
func (s State) String() string { return [...]string{"clean", "dirty", "live", "damaged"}[s] }

// Transactions counts them by outcome.
type Transactions struct {
	// Unreachable counts valid ones that a recovery would not find.
	Committed, Uncommitted, Damaged, Unreachable int
}

// Info is what can be said of a journal as a whole.
type Info struct {
	Format  string
	Variant []string
	State   State
	// Place says where the journal was found: "inode 8 of an ext4 filesystem".
	// Empty when the source is the journal.
	Place string
	// Geometry holds sizes, positions and identifiers.
	Geometry Fields
	// HasSeq, HasTime: whether the ranges below mean anything.
	HasSeq, HasTime bool
	// FirstSeq and LastSeq bound the committed transactions or events.
	FirstSeq, LastSeq uint64
	// FirstTime and LastTime are in nanoseconds since 1970.
	FirstTime, LastTime int64
	Transactions        Transactions
	// Provisional: Transactions takes logged contents to be right, as they
	// were not read; a scan that finds a committed one damaged knows better.
	Provisional bool
	// Outlook says in a sentence what the kernel would make of the journal.
	Outlook string
	// Faults lists what is wrong with the journal as a whole: how it was found,
	// its geometry, its end.
	Faults []Fault
	// Mark changes whenever somebody writes to the journal. Two equal marks
	// around a scan mean that the scan saw one state.
	Mark string
}
