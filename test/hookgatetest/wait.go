package hookgatetest

import (
	"os/exec"
	"testing"
	"time"

	"github.com/hookgate/hookgate/internal/process"
)

// Patience is how long a test waits for what must come. It is generous: nothing waits
// that long unless something is broken.
const Patience = 40 * time.Second

// Eventually waits until a condition holds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not come in %v: %s", Patience, what)
		}
	}
}

// Begin runs a command until the test ends.
func Begin(t testing.TB, cmd *exec.Cmd) (*process.Process, *process.Output) {
	t.Helper()
	out := new(process.Output)
	cmd.Stdout, cmd.Stderr = out, out
	started, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		started.Kill()
		if t.Failed() {
			t.Logf("%q:\n%s", cmd.Args, out)
		}
	})
	return started, out
}
