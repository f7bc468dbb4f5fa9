package main

import (
	"os/exec"
	"syscall"
)

// endOrderly makes the kernel ask the server to end where the benchmark dies: killed
// itself, nginx leaves its workers behind.
func endOrderly(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
