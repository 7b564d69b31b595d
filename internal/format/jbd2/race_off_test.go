//go:build !race

package jbd2

const slow = false
