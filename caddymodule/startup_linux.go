package caddymodule

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// forgetStartup takes what the start read of the binary out of the process: most of it,
// tens of MiB for the initialisation of packages, is never needed again, but counts as
// resident for as long as nobody else wants the memory. What is needed comes back from
// the page cache. Only mappings that cannot have been written to are the file's.
func forgetStartup() {
	binary, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(maps)) {
		// "00400000-02d3f000 r-xp 00000000 fe:00 1234  /usr/bin/hookgate"
		f := strings.Fields(line)
		if len(f) != 6 || f[5] != binary || f[1] != "r-xp" && f[1] != "r--p" {
			continue
		}
		from, to, _ := strings.Cut(f[0], "-")
		begin, err := strconv.ParseUint(from, 16, 64)
		if err != nil {
			return
		}
		end, err := strconv.ParseUint(to, 16, 64)
		if err != nil {
			return
		}
		// No harm where it fails: the pages stay.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(begin), uintptr(end-begin), unix.MADV_DONTNEED)
	}
}
