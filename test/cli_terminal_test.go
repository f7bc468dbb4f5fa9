package test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// onTerminal runs a command on a terminal: when it shows a prompt, it is answered.
// It returns what the terminal showed, and the exit code.
func onTerminal(t *testing.T, cmd *exec.Cmd, prompt, answer string) (string, int) {
	t.Helper()
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	late := time.AfterFunc(hookgatetest.Patience, func() { cmd.Process.Kill() })
	defer late.Stop()
	var screen strings.Builder
	answered := false
	for buf := make([]byte, 4096); ; {
		n, err := terminal.Read(buf)
		screen.Write(buf[:n])
		if !answered && strings.HasSuffix(screen.String(), prompt) {
			answered = true
			if _, err := io.WriteString(terminal, answer); err != nil {
				t.Fatal(err)
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO) || errors.Is(err, os.ErrClosed) {
			break // the other end is closed
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return screen.String(), cmd.ProcessState.ExitCode()
}

// cli returns a call of the binary as the operator, who has the address and the JWT
// in the environment.
func (o operator) cli(args ...string) *exec.Cmd {
	cmd := hookgatetest.Command(o.g.dir, args...)
	cmd.Env = append(cmd.Env, "HOOKGATE_SERVER="+o.g.Admin, "HOOKGATE_TOKEN="+o.jwt)
	return cmd
}

func TestRevokeAsksOnATerminal(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr})
	admin := g.operator(t, tenantA, "admin")
	const prompt = "Revoke it for good? [y/N] "
	for _, test := range []struct {
		answer string
		code   int
		status int
	}{
		{"n\n", 1, http.StatusOK},
		{"\n", 1, http.StatusOK},
		{"\x04", 1, http.StatusOK}, // the end of the input
		{"yesterday\n", 1, http.StatusOK},
		{"y\n", 0, http.StatusUnauthorized},
		{"YES\n", 0, http.StatusUnauthorized},
	} {
		c := admin.mintCallback("to be ended")
		screen, code := onTerminal(t, admin.cli("credentials", "revoke", c.id), prompt, test.answer)
		if code != test.code || !strings.Contains(screen, "to be ended") || !strings.Contains(screen, prompt) {
			t.Errorf("%q: exit code %d\n%s", test.answer, code, screen)
		}
		if got := g.use(t, c).status; got != test.status {
			t.Errorf("%q: the token gets %d", test.answer, got)
		}
	}
	c := admin.mintCallback("")
	screen, code := onTerminal(t, admin.cli("credentials", "revoke", "--yes", c.id), prompt, "n\n")
	if code != 0 || strings.Contains(screen, prompt) || g.use(t, c).status != http.StatusUnauthorized {
		t.Errorf("--yes: exit code %d\n%s", code, screen)
	}
	const unknown = "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"
	if screen, code := onTerminal(t, admin.cli("credentials", "revoke", unknown), prompt, "y\n"); code != 1 || strings.Contains(screen, prompt) {
		t.Errorf("unknown: exit code %d\n%s", code, screen)
	}
}

// TestVerifyOnATerminal: nobody who looks at the screen learns the token.
func TestVerifyOnATerminal(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	admin := g.operator(t, tenantA, "admin")
	c := admin.mintCallback("")
	screen, code := onTerminal(t, admin.cli("credentials", "verify"), "Token: ", c.token+"\n")
	if code != 0 || !strings.Contains(screen, "allowed") || strings.Contains(screen, c.token) {
		t.Errorf("exit code %d\n%s", code, screen)
	}
}
