// Package replay is where records become transactions, and transactions a
// recovery: what to apply, in which order, and what is lost.
//
// It stands between the decoders, which know bytes, and everything that acts
// on a journal's meaning. It may import format and event and nothing else of
// this module; verify, tui and mount may import it.
//
// There is no code here yet: nothing is replayed so far. Which transactions of
// a jbd2 log count is decided by package jbd2, whose walk follows the kernel's.
package replay
