//go:build unix

package trail

import "syscall"

// noFollow: a link at the path would lead the log to where somebody else wants it.
const noFollow = syscall.O_NOFOLLOW
