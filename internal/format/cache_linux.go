package format

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropCache gives up what the kernel has cached of a block device. A mounted
// filesystem writes its log past that cache, where an earlier look has left
// what was there before. It is a request: a device that does not heed it is
// read as before.
func dropCache(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
