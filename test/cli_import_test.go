package test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func digestOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// TestImportAndExport moves credentials from one server to another, whose vendors go
// on with their tokens.
func TestImportAndExport(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		from, to := start(t, config{store: embedded(t), upstream: u.addr}), start(t, config{store: s, upstream: u.addr})
		there, here := from.operator(t, tenantA, "admin"), to.operator(t, tenantB, "admin")
		callback := strings.TrimSpace(there.run(t, 0, "credentials", "mint", "--kind", "callback", "--label", "JIRA \u00e4", "--allow-ip", "127.0.0.1", "--metadata", `{"n":12345678901234567890}`).stdout)
		webhook := strings.TrimSpace(there.run(t, 0, "credentials", "mint", "--kind", "webhook", "--vendor", "belvo", "--connection", "belvo-main", "--expires", "2127-01-02T03:04:05Z").stdout)

		exported := there.run(t, 0, "credentials", "export")
		if strings.Contains(exported.stdout, callback) || strings.Contains(exported.stdout, digestOf(callback)[7:]) || exported.stderr != "" {
			t.Errorf("a secret is in the export, or something else was said: %s%s", exported.stdout, exported.stderr)
		}
		// What an operator adds is the digests, which only who has the tokens knows.
		var file strings.Builder
		for _, c := range lines[map[string]json.RawMessage](t, exported) {
			token := callback
			if string(c["kind"]) == `"webhook"` {
				token = webhook
			}
			line := map[string]any{"digest": digestOf(token)}
			for _, name := range []string{"kind", "label", "vendor", "connection", "expiresAt", "allowedIps", "metadata"} {
				if value, ok := c[name]; ok {
					line[name] = value
				}
			}
			text, err := json.Marshal(line)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&file, "%s\n\n", text)
		}
		path := filepath.Join(t.TempDir(), "import.jsonl")
		if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
			t.Fatal(err)
		}

		imported := here.run(t, 0, "credentials", "import", path)
		if strings.Count(imported.stdout, ": created ") != 2 || !strings.HasPrefix(imported.stdout, "line 1: created ") || !strings.Contains(imported.stdout, "\nline 3: created ") || imported.stderr != "2 created, 0 there already, 0 refused, 0 invalid\n" {
			t.Errorf("%s%s", imported.stdout, imported.stderr)
		}
		wantStatus(t, to.use(t, credential{token: callback}), http.StatusOK)
		wantStatus(t, to.use(t, credential{vendor: "belvo", token: webhook}), http.StatusOK)
		type fields map[string]json.RawMessage
		before, after := lines[fields](t, exported), lines[fields](t, here.run(t, 0, "credentials", "export"))
		if len(after) != 2 {
			t.Fatalf("%d credentials", len(after))
		}
		for _, a := range after {
			for _, b := range before {
				if string(a["kind"]) != string(b["kind"]) {
					continue
				}
				for _, name := range []string{"label", "vendor", "connection", "expiresAt", "allowedIps", "metadata", "status"} {
					if string(a[name]) != string(b[name]) {
						t.Errorf("%s: %s became %s", name, b[name], a[name])
					}
				}
			}
		}
		type result struct {
			Line             int
			Status, ID, Code string
		}
		for i, r := range lines[result](t, here.pipe(t, 0, file.String(), "credentials", "import", "-", "--output", "json")) {
			if r.Status != "exists" || r.ID == "" || r.Line != 2*i+1 {
				t.Errorf("again: %+v", r)
			}
		}

		// Another tenant does not learn whose digest it is, only that it cannot have it.
		bad := strings.Join([]string{
			`{"kind":"callback","digest":"` + digestOf(callback) + `"}`,
			`{"kind":"callback","digest":"` + digestOf("new") + `"}`,
			`{"kind":"callback",`,
			`{"kind":"callback","digest":"` + digestOf("other") + `","status":"revoked"}`,
			`{"kind":"api","digest":"` + digestOf("x") + `"}`,
			`{"kind":"callback","digest":"` + plausible("mcb_", 1) + `"}`,
		}, "\n")
		refused := to.operator(t, tenantA, "admin").pipe(t, 1, bad, "credentials", "import", "-", "--output", "json")
		want := []result{{1, "refused", "", "HKG-2013"}, {2, "created", "", ""}, {3, "invalid", "", ""}, {4, "invalid", "", ""}, {5, "refused", "", "HKG-2422"}, {6, "refused", "", "HKG-2422"}}
		got := lines[result](t, refused)
		if len(got) != len(want) {
			t.Fatalf("%+v", got)
		}
		for i := range got {
			if got[i].ID = ""; got[i] != want[i] {
				t.Errorf("%+v, want %+v", got[i], want[i])
			}
		}
		if strings.Contains(refused.stdout+refused.stderr, plausible("mcb_", 1)) {
			t.Error("a token in the wrong place is repeated")
		}
		wantStatus(t, to.use(t, credential{token: "new"}), http.StatusOK)
		wantStatus(t, to.use(t, credential{token: "other"}), http.StatusUnauthorized)
	})
}
