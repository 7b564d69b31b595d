package format

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Error classes. Compare with [errors.Is]; everything else about an error is
// for people. Damage in a journal is not an error but a [Fault].
var (
	// ErrUnknownFormat: the bytes are no journal that any format recognises.
	ErrUnknownFormat = errors.New("unknown format")
	// ErrUnsupported: the journal needs a feature that this program lacks, so
	// reading on would misread it.
	ErrUnsupported = errors.New("unsupported")
	// ErrCorrupt: a structure that must be right before anything can be read
	// is not.
	ErrCorrupt = errors.New("corrupt")
	// ErrTruncated: the bytes end before the structure does.
	ErrTruncated = errors.New("truncated")
	// ErrMismatch: what was found does not fit how it was asked for, such as
	// several journals where one is wanted.
	ErrMismatch = errors.New("mismatch")
	// ErrNoJournal: a filesystem was recognised, and it has no journal.
	ErrNoJournal = errors.New("no journal")
)

// Error is a failure with its place and a way out, for people.
type Error struct {
	// What failed, as a short clause: "the journal needs features 0x40000000".
	What string
	// Path names the source; empty when it adds nothing.
	Path string
	// Offset is the byte offset in the source, or -1.
	Offset int64
	// Hint says what to try; empty when there is nothing to try.
	Hint string
	// Err is the class, or the cause.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Path != "" {
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.What)
	if e.Offset >= 0 {
		fmt.Fprintf(&b, " at offset %d", e.Offset)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Unsupported returns an [Error] of class [ErrUnsupported].
func Unsupported(src Source, offset int64, hint, what string, args ...any) error {
	return &Error{What: fmt.Sprintf(what, args...), Path: src.Name(), Offset: offset, Hint: hint, Err: ErrUnsupported}
}

// Unknown returns an [Error] of class [ErrUnknownFormat]: not this format.
func Unknown(src Source, what string, args ...any) error {
	return &Error{What: fmt.Sprintf(what, args...), Path: src.Name(), Offset: -1, Err: ErrUnknownFormat}
}

// Hint returns the advice attached to err, or "".
func Hint(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// Cause is the innermost message of err, without the path that the operating
// system's errors carry.
func Cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
