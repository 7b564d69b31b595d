// Package semj reads and writes the two homes of VexFS's semantic events: the
// SEMJ journal file and the STOR storage block.
//
// An event is the same in both. A header of 132 bytes names it, a context of
// 5280 bytes says what it was about (a compact event has none), then come
// payload, metadata and causality links of 160 bytes each. [Event] holds every
// byte of that, so that decoding and encoding give back what was read.
// [Event.Semantic] and [FromSemantic] translate to and from the model that all
// event journals share.
//
//	SEMJ   header 52 │ event │ event │ ... │ index, 52 bytes an event (optional)
//	STOR   header 72 + 64 entries │ data area 2488      4096 bytes, repeated
//
// Reading. [Format] and [Stor] are rows of the table of formats; both open to
// the same kind of journal. A walker steps through the events by the size each
// declares. Where no event can start it searches for the next offset that looks
// like an event and has the right sum, and the bytes between become a gap. The
// search first looks for the four bytes of the version, then does the size
// arithmetic, and only then spends time on a checksum, within a budget that
// grows with the bytes walked; so hostile input costs a constant factor, not a
// square.
//
// Order, counts and links concern more than one record. Order needs only the
// last good event. Counts, and the directory by which a link's two ends are
// looked up, come from an audit: one pass over the journal that is made when
// somebody asks for it and kept until the journal's mark changes. The
// directory remembers one event in so many, never more than a fixed number,
// and rereads a stretch of the journal to find the others.
//
// Writing. [Writer] streams a SEMJ file and fills its header when closed; the
// index is made then, by stepping once through what was written, so memory
// does not grow with the number of events. [BlockWriter] fills STOR blocks one
// by one.
//
// The bytes are specified in docs/formats/semj.md.
package semj
