package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/internal/process"
	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/issuer"
)

// desk is somebody at a command line of their own.
type desk struct {
	t   *testing.T
	dir string
}

func (d desk) run(args ...string) (stdout, stderr string, code int) {
	d.t.Helper()
	return hookgatetest.Run(d.t, d.command(args...).cmd)
}

func (d desk) command(args ...string) *deskCommand {
	cmd := hookgatetest.Command(d.dir, args...)
	cmd.Env = append(cmd.Env, "HOME="+d.dir, "XDG_CONFIG_HOME="+d.dir, "CLIENT_SECRET="+issuer.ClientSecret)
	return &deskCommand{cmd: cmd, output: new(process.Output)}
}

// TestLogin signs in by the device flow, works, and signs out.
func TestLogin(t *testing.T) {
	t.Parallel()
	at, err := issuer.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(at.Close)
	tenantID, other := uuid.NewString(), uuid.NewString()
	at.Claim(map[string]any{"tenant_id": []string{tenantID, other}, "roles": []string{"minter"}})
	g := start(t, config{store: embedded(t), upstream: newUpstream(t).addr, admin: []string{
		"oidc {\n issuer " + at.URL + "\n client_id " + at.ClientID + "\n client_secret " + issuer.ClientSecret + "\n}",
	}})
	me := desk{t, t.TempDir()}
	if _, stderr, code := me.run("credentials", "list", "--server", g.Admin); code != 2 || !strings.Contains(stderr, "hookgate login") {
		t.Errorf("before: %d %s", code, stderr)
	}

	output, code := me.login(at.Deny, "--server", g.Admin, "--client-secret-env", "CLIENT_SECRET")
	if code != 1 || !strings.Contains(output, "access_denied") {
		t.Errorf("denied: %d %s", code, output)
	}
	output, code = me.login(at.Approve, "--server", g.Admin, "--client-secret-env", "CLIENT_SECRET")
	if code != 0 || !strings.Contains(output, "Signed in as "+issuer.Subject) || !strings.Contains(output, "minter of ") || !strings.Contains(output, "--tenant") {
		t.Fatalf("%d %s", code, output)
	}
	file := filepath.Join(me.dir, "hookgate", "login.json")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	token := regexp.MustCompile(`"token":"([^"]+)"`).FindStringSubmatch(string(kept))
	if token == nil || strings.Contains(output, token[1]) || strings.Contains(g.Output.String(), token[1]) {
		t.Errorf("the JWT is shown, or not kept: %s", kept)
	}

	// The server is known by now.
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"credentials", "mint", "--kind", "callback"}, 1, "HKG-2021"},
		{[]string{"credentials", "mint", "--kind", "callback", "--tenant", tenantID}, 0, ""},
		{[]string{"credentials", "list", "--tenant", other}, 0, ""},
		{[]string{"audit", "list", "--tenant", tenantID}, 1, "HKG-2403"},
		{[]string{"credentials", "list", "--tenant", uuid.NewString()}, 1, "HKG-2021"},
		// It is sent to no other.
		{[]string{"credentials", "list", "--server", "http://127.0.0.1:1"}, 2, "no operator's JWT"},
	} {
		if _, stderr, code := me.run(c.args...); code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%v: %d %s", c.args, code, stderr)
		}
	}
	if _, stderr, code := me.run("logout"); code != 0 || stderr != "" {
		t.Errorf("logout: %d %s", code, stderr)
	}
	if _, stderr, code := me.run("credentials", "list", "--server", g.Admin); code != 2 {
		t.Errorf("after: %d %s", code, stderr)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the file is still there")
	}
}

// TestLoginWithoutIssuer: a server that has none says so.
func TestLoginWithoutIssuer(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t), upstream: newUpstream(t).addr})
	if _, stderr, code := (desk{t, t.TempDir()}).run("login", "--server", g.Admin); code != 1 || !strings.Contains(stderr, "no issuer to sign in at") {
		t.Errorf("%d %s", code, stderr)
	}
}
