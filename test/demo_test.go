package test

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hookgate/hookgate/internal/process"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestDemo does what the demo tells a newcomer to do: copies its lines into a shell.
func TestDemo(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	vendors, admin := fmt.Sprintf("127.0.0.1:%d", hookgatetest.FreePort(t)), fmt.Sprintf("127.0.0.1:%d", hookgatetest.FreePort(t))
	var stdout, stderr process.Output
	cmd := hookgatetest.Command(dir, "demo", "--dir", data, "--listen", vendors, "--admin-listen", admin)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	demo, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(demo.Kill)
	const invitation = "What reaches Matcher:\n"
	hookgatetest.Eventually(t, "the demo says how to try it", func() bool {
		select {
		case <-demo.Ended():
			t.Fatalf("the demo ended:\n%s%s", stdout.String(), stderr.String())
		default:
		}
		return strings.Contains(stdout.String(), invitation)
	})

	var commands []string
	for line := range strings.Lines(stdout.String()) {
		line = strings.TrimSpace(line)
		for _, start := range []string{"OPERATOR=", "TOKEN=", "HOOK=", "curl "} {
			if strings.HasPrefix(line, start) {
				commands = append(commands, line)
			}
		}
	}
	if len(commands) != 7 {
		t.Fatalf("%d commands: %q", len(commands), commands)
	}
	const mark = "=== next"
	script := strings.Join(commands, "\necho '"+mark+"'\n") + "\necho; echo \"token $TOKEN\"; echo \"hook $HOOK\""
	out, errs, code := hookgatetest.Run(t, exec.Command("sh", "-ec", script))
	if code != 0 || errs != "" {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	answers := strings.Split(out, mark)
	for i, want := range []string{"", "", "HTTP/1.1 200 OK", "HTTP/1.1 401 Unauthorized", `"lastUsedAt":`, "", "HTTP/1.1 200 OK"} {
		if !strings.Contains(answers[i], want) {
			t.Errorf("%s\nanswers without %q: %s", commands[i], want, answers[i])
		}
	}
	console := "http://" + admin + "/console"
	if !strings.Contains(stdout.String(), console+" ") {
		t.Errorf("the demo does not print %s", console)
	}
	if page, err := http.Get(console); err != nil || page.StatusCode != http.StatusOK {
		t.Errorf("the console: %v %v", page, err)
	} else {
		page.Body.Close()
	}
	_, token, _ := strings.Cut(out, "\ntoken ")
	token, _, _ = strings.Cut(token, "\n")
	if !strings.HasPrefix(token, "mcb_") {
		t.Errorf("TOKEN=%q", token)
	}

	_, received, _ := strings.Cut(stdout.String(), invitation)
	for _, want := range []string{
		"POST /v1/exceptions/7d4f/callback\n", "X-Hookgate-External-System: JIRA\n", "X-Hookgate-Kind: callback\n",
		`"{\"status\":\"RESOLVED\"}"`, "POST /v1/discovery/webhooks/pluggy/", "X-Hookgate-Connection: pluggy-main\n", `"{\"event\":\"item/updated\"}"`,
	} {
		if strings.Count(received, want) != 1 {
			t.Errorf("not printed once: %q in %s", want, received)
		}
	}
	if n := strings.Count(received, "X-Tenant-Id: 11111111-1111-1111-1111-111111111111\n"); n != 2 {
		t.Errorf("the tenant is printed %d times", n)
	}
	_, hook, _ := strings.Cut(out, "\nhook http://"+vendors+"/v1/discovery/webhooks/pluggy/")
	hook = strings.TrimSpace(hook)
	if !strings.HasPrefix(hook, "mwh_") || strings.Contains(stdout.String()+stderr.String(), hook) {
		t.Error("the demo prints the token of a webhook, or mints none")
	}
	if strings.Contains(stdout.String()+stderr.String(), token) {
		t.Error("the demo prints a minted token")
	}

	demo.Signal(syscall.SIGTERM)
	if !demo.Wait(hookgatetest.Patience) || demo.ExitCode() != 0 {
		t.Errorf("SIGTERM ends the demo with exit code %d\n%s", demo.ExitCode(), stderr.String())
	}
	if paths := tree(t, data); len(paths) < 2 {
		t.Errorf("kept for the next run: %v", paths)
	}
}
