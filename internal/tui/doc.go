// Package tui is the home of the terminal interface for looking at journals,
// and the only package that may import bubbletea.
//
// There is no code here yet.
package tui
