// Command vexctl reads, verifies and explains filesystem journals.
package main

import (
	"os"
	"runtime/debug"
)

func main() {
	// A journal's contents pass through without staying, so a small heap costs
	// little time and keeps the machine's memory for its page cache.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(40)
	}
	os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
