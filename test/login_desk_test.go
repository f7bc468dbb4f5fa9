package test

import (
	"context"
	"os/exec"
	"regexp"

	"github.com/hookgate/hookgate/internal/process"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// deskCommand is a command and what it prints.
type deskCommand struct {
	cmd    *exec.Cmd
	output *process.Output
}

var userCode = regexp.MustCompile(`enter the code (\S+)`)

// login runs the command, and decides at the issuer on the code that it shows.
func (d desk) login(decide func(context.Context, string) error, args ...string) (output string, code int) {
	d.t.Helper()
	c := d.command(append([]string{"login"}, args...)...)
	c.cmd.Stdout, c.cmd.Stderr = c.output, c.output
	running, err := process.Start(c.cmd)
	if err != nil {
		d.t.Fatal(err)
	}
	defer running.Kill()
	shown := func() bool { return userCode.MatchString(c.output.String()) }
	if err := running.Await(hookgatetest.Patience, shown); err != nil {
		d.t.Fatalf("no code is shown: %v\n%s", err, c.output)
	}
	if err := decide(d.t.Context(), userCode.FindStringSubmatch(c.output.String())[1]); err != nil {
		d.t.Fatal(err)
	}
	if !running.Wait(hookgatetest.Patience) {
		d.t.Fatalf("it does not end:\n%s", c.output)
	}
	return c.output.String(), running.ExitCode()
}
