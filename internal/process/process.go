// Package process runs commands for tests in such a way that none outlives the
// test process, however that ends.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// Process is a command that was started.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start starts cmd.
func Start(cmd *exec.Cmd) (*Process, error) {
	endWithParent(cmd)
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel ties the child to the thread that started it, so the thread has
		// to live as long as the child.
		runtime.LockOSThread()
		defer close(p.ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal. A process that has ended takes none, which is no failure.
func (p *Process) Signal(sig os.Signal) { p.cmd.Process.Signal(sig) }

// Ended is closed when the process has ended and its output is complete.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait waits for the end, and reports whether it came in time.
func (p *Process) Wait(limit time.Duration) bool {
	select {
	case <-p.ended:
		return true
	case <-time.After(limit):
		return false
	}
}

// Await polls until the process is ready. It is an error where it ends instead, or is
// not ready in time.
func (p *Process) Await(limit time.Duration, ready func() bool) error {
	for deadline := time.Now().Add(limit); !ready(); {
		select {
		case <-p.ended:
			return fmt.Errorf("ended with exit code %d", p.ExitCode())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("is not ready in %v", limit)
		}
	}
	return nil
}

// Kill ends the process at once, and waits for its end.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// ExitCode returns the exit code of a process that has ended, or -1 where a signal
// ended it.
func (p *Process) ExitCode() int {
	<-p.ended
	return p.cmd.ProcessState.ExitCode()
}
