//go:build race

package jbd2

// slow: the race detector makes everything ten times slower, and the tests that
// try every bit have nothing concurrent in them.
const slow = true
