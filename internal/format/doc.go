// Package format is the vocabulary that every journal format shares.
//
// A journal is read through a [Source]: random-access bytes that are never
// written. A [Format] finds its journal in a Source (the bytes may be the
// journal itself, or a filesystem image that contains it) and opens it as a
// [Journal]. A Journal yields [Record]s, one for each unit on disk.
//
// Two laws hold for every format, and [formattest] checks them:
//
// Tiling. A scan in [Physical] order yields records whose byte ranges cover
// the journal from 0 to its size, in order and without overlap. Bytes that
// mean nothing are records too, of kind [Gap].
//
// Damage is data. A wrong checksum or a senseless length is a [Fault] on the
// record it was found in, and the scan goes on. An error from a scan means
// that reading failed, was cancelled, or that the journal needs a feature
// that this program does not have; see [ErrUnsupported] and its neighbours.
//
// Nothing here knows a concrete format, logs, exits, or panics on input.
//
// [formattest]: https://pkg.go.dev/github.com/vexfs/vexctl/internal/format/formattest
package format
