package process

import (
	"os/exec"
	"syscall"
)

// endWithParent makes the kernel end the child where the test process dies without
// cleaning up: a panic, a timeout, a kill.
func endWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
