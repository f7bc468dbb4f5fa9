package test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestFailedReload: whatever keeps a file from being loaded is counted, and the log has
// the reason in full, but for secrets.
func TestFailedReload(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-is-a-secret"
	g := start(t, config{store: embedded(t), env: []string{"HOOKGATE_OTHER=" + secret}})
	failed, ok := 0.0, 0.0
	counted := func(last float64) {
		t.Helper()
		wantMetric(t, g, `hookgate_reloads_total{result="ok"}`, ok)
		wantMetric(t, g, `hookgate_reloads_total{result="failed"}`, failed)
		wantMetric(t, g, "hookgate_last_reload_successful", last)
	}
	counted(1)
	right := g.config.text(t, g.ports)
	instead := func(old, new string) string { return strings.Replace(right, old, new, 1) }
	for name, test := range map[string]struct{ text, reason string }{
		"no Caddyfile":     {"{{{", fmt.Sprintf("%s:1", g.caddyfile())},
		"unknown word":     {instead("hookgate {\n\t\tredis", "hookgate {\n\t\tfrobnicate\n\t\tredis"), `unknown word \"frobnicate\" in hookgate`},
		"unknown module":   {instead("format hookgate", "format frobnicate"), "frobnicate"},
		"missing variable": {instead("HOOKGATE_TEST_SECRET", "NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE"},
		"secret too many":  {instead("{env.HOOKGATE_TEST_SECRET}", "{env.HOOKGATE_TEST_SECRET} "+secret), "unexpected line ending after"},
		"secret's own":     {instead("{env.HOOKGATE_TEST_SECRET}", "{$HOOKGATE_OTHER} x"), "unexpected line ending after"},
		"password":         {instead("redis embedded", "redis redis://:"+secret+"@127.0.0.1 embedded"), "wrong argument count"},
		"unredacted log":   {instead("format hookgate", "format json"), "allow_unredacted_logs"},
		"no file":          {"", "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.text == right {
				t.Fatal("nothing is wrong")
			}
			if g.write(test.text); test.text == "" {
				os.Remove(g.caddyfile())
			}
			before := len(g.Output.String())
			g.Reload(notLoaded)
			failed++
			counted(0)
			said := g.Output.String()[before:]
			for line := range strings.Lines(said) {
				if strings.Contains(line, notLoaded) && !strings.Contains(line, test.reason) {
					t.Errorf("the reason is not in %s", line)
				}
			}
			if strings.Contains(said, secret) {
				t.Errorf("the secret is in %s", said)
			}
		})
	}
	g.write(right)
	g.Reload(reloaded)
	ok++
	counted(1)
}
