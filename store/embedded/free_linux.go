package embedded

import (
	"cmp"
	"syscall"
)

// readOnlyFlag is ST_RDONLY of statfs(2).
const readOnlyFlag = 1

// spaceOf asks the file system of a directory. One that counts no blocks, as ramfs, knows
// nothing of its room.
func spaceOf(dir string) (_ space, known bool, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return space{}, false, err
	}
	// statfs(2): blocks are counted in fragments, where a file system has such.
	on := newSpace(s.Bavail, int64(cmp.Or(s.Frsize, s.Bsize)), s.Flags&readOnlyFlag != 0)
	return on, s.Blocks > 0 || on.readOnly, nil
}
