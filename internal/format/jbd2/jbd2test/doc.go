// Package jbd2test builds jbd2 journals out of descriptions, for tests.
//
// A [Journal] says what the log holds: transactions with their blocks and
// revokes, where in the ring the first one starts, which of them is the tail.
// [Journal.Build] makes the bytes and notes where everything went, so that a
// test can damage a block it knows and say what must be found there. [Mend]
// makes all checksums of a journal right again after somebody changed it.
//
// Everything here is written from the format's page, docs/formats/jbd2.md, and
// shares no code with the decoder: layouts and checksums are computed a second
// time, in the plainest way there is.
package jbd2test
