package test

import (
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestCommandsCalledWrongly: exit code 2, a word of why, and no request.
func TestCommandsCalledWrongly(t *testing.T) {
	t.Parallel()
	g := &gate{dir: t.TempDir(), Hookgate: &hookgatetest.Hookgate{Admin: "http://127.0.0.1:1"}} // nobody is there to be asked
	operator := operator{t: t, g: g, jwt: "a.b.c"}
	const id = "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"
	token := plausible("mcb_", 1)
	for _, line := range []string{
		"credentials", "credentials nonsense", "credentials nonsense --server http://127.0.0.1:1", "audit", "audit nonsense", "audit list x",
		"credentials mint", "credentials mint --kind nonsense", "credentials mint --kind", "credentials mint callback", "credentials mint --kind callback --nonsense",
		"credentials mint --kind callback --expires soon", "credentials mint --kind callback --expires -1h", "credentials mint --kind callback --metadata []",
		"credentials mint --kind callback --metadata {", "credentials mint --kind callback --output yaml",
		"credentials list x", "credentials list --kind nonsense", "credentials list --status nonsense", "credentials list --limit 0", "credentials list --limit x",
		"credentials list --limit 1 --all", "credentials list --unused-since soon", "credentials list --output yaml",
		"credentials get", "credentials get x", "credentials get " + id + " " + id, "credentials get ../" + id,
		"credentials rotate", "credentials rotate x", "credentials rotate " + id + " --grace soon", "credentials rotate " + id + " --grace 1.5s", "credentials rotate " + id + " --grace -1h",
		"credentials finish", "credentials finish x", "credentials revoke", "credentials revoke x", "credentials revoke " + id + " --force",
		"credentials verify " + token, "credentials verify --token=" + token, "credentials verify - -", "credentials verify --output yaml",
		"credentials import", "credentials import a b", "credentials import - --output yaml", "credentials export x", "credentials export --output table",
		"audit list --credential x", "audit list --action nonsense", "audit list --limit -1", "audit list --limit=" + token,
		"credentials list --server 127.0.0.1:8081", "credentials list --server http://192.0.2.1:8081", "credentials list --server http://hookgate:8081",
		"credentials list --token-file /no/such/file", "credentials list --cli-config /no/such/file",
	} {
		r := operator.run(t, 2, strings.Fields(line)...)
		r.wantError(t)
		if strings.Contains(r.stderr, token) || strings.Contains(r.stderr, operator.jwt) {
			t.Errorf("%s: a token is in %s", line, r.stderr)
		}
	}
	for _, without := range []string{"HOOKGATE_SERVER=", "HOOKGATE_TOKEN="} {
		cmd := operator.cli("credentials", "list")
		cmd.Env = append(cmd.Env, without)
		if stdout, stderr, code := hookgatetest.Run(t, cmd); code != 2 || stdout != "" || stderr == "" {
			t.Errorf("%s: exit code %d, %q, %q", without, code, stdout, stderr)
		}
	}
	for _, line := range []string{"credentials --help", "credentials mint --help", "audit list -h", "help credentials rotate"} {
		if r := operator.run(t, 0, strings.Fields(line)...); !strings.Contains(r.stdout, "--server") {
			t.Errorf("%s: %s", line, r.stdout)
		}
	}
	if r := operator.run(t, 0, "__complete", "credentials", "mint", "--kind", ""); !strings.HasPrefix(r.stdout, "callback\nwebhook\napi\n") {
		t.Errorf("completed to %s", r.stdout)
	}
}
