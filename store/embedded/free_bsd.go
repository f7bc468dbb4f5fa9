//go:build darwin || freebsd

package embedded

import "syscall"

// readOnlyFlag is MNT_RDONLY of statfs(2).
const readOnlyFlag = 1

// spaceOf asks the file system of a directory. One that counts no blocks knows nothing of
// its room.
func spaceOf(dir string) (_ space, known bool, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return space{}, false, err
	}
	// FreeBSD counts below zero what only root may use.
	on := newSpace(uint64(max(int64(s.Bavail), 0)), int64(s.Bsize), s.Flags&readOnlyFlag != 0)
	return on, s.Blocks > 0 || on.readOnly, nil
}
