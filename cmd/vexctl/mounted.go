package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// isMounted says whether a block device or one of its partitions is mounted,
// or, for a file, a loop device that it backs.
func isMounted(path string, st fs.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	if st.Mode()&fs.ModeDevice != 0 {
		return deviceMounted(deviceNumbers(uint64(sys.Rdev)))
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	if real, err = filepath.Abs(real); err != nil {
		return false
	}
	backing, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, p := range backing {
		if b, err := os.ReadFile(p); err != nil || strings.TrimSuffix(string(b), "\n") != real {
			continue
		}
		dev, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(p)), "dev"))
		if err == nil && deviceMounted(strings.TrimSpace(string(dev))) {
			return true
		}
	}
	return false
}

// deviceNumbers writes a device number as MAJOR:MINOR, as Linux packs them.
func deviceNumbers(rdev uint64) string {
	major := rdev>>8&0xfff | rdev>>32&^uint64(0xfff)
	minor := rdev&0xff | rdev>>12&^uint64(0xff)
	return fmt.Sprintf("%d:%d", uint32(major), uint32(minor))
}

// deviceMounted looks for a device, MAJOR:MINOR, and its partitions among what
// is mounted.
func deviceMounted(numbers string) bool {
	all := []string{numbers}
	parts, _ := filepath.Glob("/sys/dev/block/" + numbers + "/*/dev")
	for _, p := range parts {
		if b, err := os.ReadFile(p); err == nil {
			all = append(all, strings.TrimSpace(string(b)))
		}
	}
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 2 && slices.Contains(all, f[2]) {
			return true
		}
	}
	return false
}
