package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestNoSecretOfAVendorTurnsUp: whatever is done with the secrets by which vendors prove
// themselves, and with the key that seals them, they are in no log, metric, answer, audit
// entry, dump or error, and in Redis and the configuration in no form that can be read.
func TestNoSecretOfAVendorTurnsUp(t *testing.T) {
	t.Parallel()
	s, u, secrets := onRedis(t, syncing), newUpstream(t), canaries{}
	n := 0
	secret := func(where string) string {
		n++
		return secrets.add(where, fmt.Sprintf("vendor.canary-%d~of-%s", n, strings.ReplaceAll(where, " ", "-")))
	}
	block, old, literal, token := secret("a verify line"), secret("an old secret of a verify line"), secret("a signature line"), secret("a challenge")
	key := secrets.add("seal_key", "Y2FuYXJ5LW9mLXRoZS1rZXktdGhhdC1zZWFscyEhISE=")
	c := config{
		store: s, upstream: u.addr, known: "any",
		app: []string{"seal_key {env.CANARY_SEAL}"},
		env: []string{"CANARY_SEAL=" + key, "CANARY_BLOCK=" + block, "CANARY_OLD=" + old, "CANARY_LITERAL=" + literal, "CANARY_TOKEN=" + token},
		guard: []string{
			"vendor github {\n\t\t\tverify github {env.CANARY_BLOCK} {env.CANARY_OLD}\n\t\t\tchallenge meta {env.CANARY_TOKEN}\n\t\t\treplay 1m\n\t\t}",
			"vendor acme {\n\t\t\tsignature X-Signature {env.CANARY_LITERAL}\n\t\t}",
		},
	}
	g := start(t, c)
	commands := monitor(t, s.redis)
	admin := g.operator(t, tenantA, "admin")
	var answers strings.Builder
	do := func(status int, method, path, body string) answer {
		t.Helper()
		a := admin.do(method, path, body)
		wantStatus(t, a, status)
		answers.Write(a.body)
		return a
	}
	verify := func(scheme string, of ...string) string {
		list, _ := json.Marshal(of)
		return fmt.Sprintf(`{"scheme":%s,"secrets":%s}`, scheme, list)
	}
	const own = `{"signature":{"header":"X-Signature"}}`

	// Through every operation, right and wrong.
	first := secret("a mint")
	var made struct{ ID, Token string }
	if err := json.Unmarshal(do(201, http.MethodPost, "/v1/credentials", `{"kind":"webhook","vendor":"pluggy","connection":"main","label":"JIRA","verify":`+verify(own, first)+`}`).body, &made); err != nil {
		t.Fatal(err)
	}
	one := "/v1/credentials/" + made.ID
	do(422, http.MethodPost, "/v1/credentials", `{"kind":"callback","verify":`+verify(`"no-such"`, secret("a mint with a wrong scheme"))+`}`)
	do(422, http.MethodPost, "/v1/credentials", `{"kind":"callback","verify":`+verify(`"discord"`, secret("a mint with what is no key"))+`}`)
	do(422, http.MethodPost, "/v1/credentials", `{"kind":"callback","verify":`+verify(`{"signature":{"header":"`+secret("a name of a header")+` "}}`, "x")+`}`)
	next := secret("a new signing secret")
	do(200, http.MethodPost, one+"/signing-secret", `{"secret":"`+next+`","gracePeriodSeconds":600,"reason":"yearly"}`)
	do(409, http.MethodPost, one+"/signing-secret", `{"secret":"`+secret("a signing secret too early")+`"}`)
	patched := secret("a PATCH")
	do(200, http.MethodPatch, one, `{"verify":`+verify(own, next, patched)+`}`)
	do(201, http.MethodPost, one+"/rotate", `{"gracePeriodSeconds":600}`)
	imported := secret("an import")
	do(200, http.MethodPost, "/v1/credentials/import", `{"credentials":[`+
		`{"kind":"webhook","vendor":"pluggy","connection":"main","digest":"`+strings.Repeat("a1", 32)+`","verify":`+verify(own, imported)+`},`+
		`{"kind":"webhook","vendor":"pluggy","connection":"main","digest":"`+strings.Repeat("b2", 32)+`","verify":`+verify(`"no-such"`, secret("an import that is refused"))+`}]}`)
	for _, path := range []string{"/v1/credentials", "/v1/audit", one} {
		do(200, http.MethodGet, path, "")
	}

	// Through requests: the secret itself where a signature belongs, too.
	hub := admin.minted(admin.do(http.MethodPost, "/v1/credentials", `{"kind":"webhook","vendor":"github","connection":"main"}`), "/v1/credentials")
	hub.vendor = "github"
	mine := credential{token: made.Token, vendor: "pluggy"}
	for _, tc := range []struct {
		c      credential
		header string
		status int
	}{
		{mine, signed(next, "{}"), 200}, {mine, signed(patched, "{}"), 200}, {mine, signed(first, "{}"), 403}, {mine, "X-Signature: " + next, 403}, {mine, "X-Signature: " + secret("a signature"), 403},
		{hub, strings.Replace(signed(block, "{}"), "X-Signature: ", "X-Hub-Signature-256: sha256=", 1), 200},
		{hub, strings.Replace(signed(old, "{}"), "X-Signature: ", "X-Hub-Signature-256: sha256=", 1), 200},
		{hub, "X-Hub-Signature-256: sha256=" + block, 403},
	} {
		a := g.post(t, g.Vendors+tc.c.path(), "{}", tc.header)
		wantStatus(t, a, tc.status)
		answers.Write(a.body)
	}
	const asked = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
	for verifyToken, status := range map[string]int{token: 200, secret("a wrong verify token"): 403} {
		a := g.get(t, g.Vendors+hub.path()+asked+verifyToken)
		wantStatus(t, a, status)
		answers.Write(a.body)
	}
	answers.Write(admin.do(http.MethodPost, "/v1/credentials/verify", `{"token":"`+made.Token+`"}`).body)
	metrics := g.Metrics(t)

	// Through commands, and a configuration that does not load and quotes what is wrong in it.
	var said strings.Builder
	command := func(code int, args ...string) {
		t.Helper()
		cmd := hookgatetest.Command(g.dir, args...)
		cmd.Env = append(cmd.Env, c.env...)
		stdout, stderr, got := hookgatetest.Run(t, cmd)
		if said.WriteString(stdout + stderr); got != code {
			t.Errorf("%v: exit code %d", args, got)
		}
	}
	file := filepath.Join(t.TempDir(), "dump")
	command(0, "adapt", "--config", g.caddyfile())
	command(0, "validate", "--config", g.caddyfile(), "--adapter", "caddyfile")
	command(0, "store", "dump", file, "--config", g.caddyfile())
	command(0, "store", "reseal", "--config", g.caddyfile())
	dump, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(dump), made.ID) {
		t.Errorf("the dump: %v", err)
	}
	for _, wrong := range []string{
		"vendor acme {\n\t\t\tverify github " + literal + "\n\t\t\trequire " + literal + "\n\t\t}",
		"vendor acme {\n\t\t\tchallenge meta " + token + "\n\t\t\tenforce " + token + "\n\t\t}",
		"vendor acme {\n\t\t\tverify discord {env.CANARY_BLOCK}\n\t\t}",
	} {
		broken := c
		broken.guard = []string{wrong}
		g.write(broken.text(t, g.ports))
		g.Reload("failed to reload")
	}
	g.stop()

	for what, text := range map[string]string{
		"the output": g.Output.String(), "the metrics": metrics, "Redis": s.dump(t), "what Redis was told": commands(),
		"answers": answers.String(), "what commands say": said.String(), "the dump": string(dump),
	} {
		secrets.search(t, what, text)
	}
}
