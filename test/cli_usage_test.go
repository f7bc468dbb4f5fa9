package test

import (
	"fmt"
	"os"
	"path/filepath"
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

// TestCommandsRefused: exit code 1, and what the server says.
func TestCommandsRefused(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	admin, viewer, other := g.operator(t, tenantA, "admin"), g.operator(t, tenantA, "viewer"), g.operator(t, tenantB, "admin")
	c := admin.mintCallback("")
	forged := operator{t, g, admin.jwt + "x"}
	for _, test := range []struct {
		who  operator
		want string
		line string
	}{
		{viewer, "HKG-2403", "credentials mint --kind callback"},
		{viewer, "HKG-2403", "credentials revoke " + c.id},
		{viewer, "HKG-2403", "credentials import -"},
		{other, "HKG-2002", "credentials get " + c.id},
		{other, "HKG-2002", "credentials revoke " + c.id},
		{other, "HKG-2002", "credentials rotate " + c.id},
		{forged, "HKG-2401", "credentials list"},
		{forged, "HKG-2401", "credentials export"},
		{forged, "HKG-2401", "audit list"},
		{admin, "HKG-2422", "credentials mint --kind webhook --vendor pluggy"},
		{admin, "HKG-2422", "credentials mint --kind callback --client-id x"},
		{admin, "HKG-2422", "credentials mint --kind callback --allow-ip x"},
		{admin, "HKG-2422", "credentials mint --kind callback --expires 2020-01-02T03:04:05Z"},
		{admin, "HKG-2004", "credentials mint --kind webhook --vendor pluggy --connection none"},
		{admin, "HKG-2422", "credentials rotate " + c.id + " --grace 8d"},
		{admin, "HKG-2404", "credentials list --server " + g.Admin + "/elsewhere"},
		{admin, "HKG-1404", "credentials list --server " + g.Vendors},
		{admin, "does not answer", "credentials list --server http://127.0.0.1:1"},
		{admin, "does not answer", "credentials list --server https://" + strings.TrimPrefix(g.Admin, "http://")},
		{admin, "no such file", "credentials import /no/such/file"},
	} {
		r := test.who.pipe(t, 1, `{"kind":"callback","digest":"`+strings.Repeat("0", 64)+`"}`, strings.Fields(test.line)...)
		r.wantError(t, test.want)
		if strings.HasPrefix(test.want, "HKG-") && !strings.Contains(r.stderr, "request id ") {
			t.Errorf("%s: no request id in %s", test.line, r.stderr)
		}
		if strings.Contains(r.stderr, admin.jwt) {
			t.Errorf("%s: the JWT is in %s", test.line, r.stderr)
		}
	}
	for _, stdin := range []string{"", "\n", "a\nb\n", strings.Repeat("x", 5000)} {
		viewer.pipe(t, 1, stdin, "credentials", "verify").wantError(t, "standard input")
	}
	viewer.pipe(t, 0, c.token, "credentials", "verify").wantCells(t, "outcome", "allowed")
}

// TestCommandSettings: a file saves typing, and a flag or a variable goes before it.
func TestCommandSettings(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	a, b := g.operator(t, tenantA, "admin"), g.operator(t, tenantB, "admin")
	ofA, ofB := a.mintCallback("").id, b.mintCallback("").id
	home := filepath.Join(g.dir, "home", "hookgate")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a.jwt": a.jwt + "\n", "b.jwt": b.jwt,
		"config.json": fmt.Sprintf(`{"server": %q, "token_file": "a.jwt"}`, g.Admin),
		"other.json":  fmt.Sprintf(`{"server": %q, "token_file": "b.jwt"}`, g.Admin+"/"),
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		env  string
		args []string
		want string
	}{
		{"", nil, ofA},
		{"HOOKGATE_TOKEN=" + b.jwt, nil, ofB},
		{"HOOKGATE_TOKEN=" + a.jwt, []string{"--token-file", filepath.Join(home, "b.jwt")}, ofB},
		{"", []string{"--cli-config", filepath.Join(home, "other.json")}, ofB},
		{"HOOKGATE_SERVER=http://127.0.0.1:1", []string{"--server", g.Admin}, ofA},
	} {
		cmd := hookgatetest.Command(g.dir, append([]string{"credentials", "list"}, test.args...)...)
		cmd.Env = append(cmd.Env, test.env)
		stdout, stderr, code := hookgatetest.Run(t, cmd)
		if code != 0 || !strings.Contains(stdout, test.want) || strings.Count(stdout, "\n") != 2 {
			t.Errorf("%s %q: exit code %d, %s%s", strings.SplitN(test.env, "=", 2)[0], test.args, code, stdout, stderr)
		}
	}
}
