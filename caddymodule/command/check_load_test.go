package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/store"
)

// textOf is a Caddyfile with global options, an embedded store, words in the block hookgate
// beside it, and sites.
func textOf(t *testing.T, options, ours, sites string) []byte {
	return []byte("{\n" + options + "hookgate {\nredis embedded " + t.TempDir() + "\n" + ours + "}\n}\n" + sites)
}

// TestCheckLoad: a configuration that no server starts with is a problem, with the reason.
func TestCheckLoad(t *testing.T) {
	t.Setenv("HOOKGATE_TEST_UNSET", "")
	for name, tc := range map[string]struct{ options, sites, want string }{ // want: part of the problem, "" for none
		"loads":            {"", "http://:8080 {\nhookgate\nhookgate_proxy 127.0.0.1:4018\n}", ""},
		"without a site":   {"", "", ""},
		"a missing secret": {"", "http://:8080 {\nhookgate_admin {\njwt {\nsecret {env.HOOKGATE_TEST_UNSET}\n}\n}\n}", "jwt secret: evaluated placeholder {env.HOOKGATE_TEST_UNSET} is empty"},
		"a wrong value":    {"", "http://:8080 {\nhookgate {\ntoken_header \"a b\"\n}\nhookgate_proxy 127.0.0.1:4018\n}", "token_header"},
		"tls alone":        {"servers {\nlistener_wrappers {\ntls\n}\n}\n", "http://:8080 {\nhookgate\nhookgate_proxy 127.0.0.1:4018\n}", "TLS listener wrapper"},
	} {
		t.Run(name, func(t *testing.T) {
			file := app.ConfigFile{Path: filepath.Join(t.TempDir(), "Caddyfile")}
			if err := os.WriteFile(file.Path, textOf(t, tc.options, "", tc.sites), 0o600); err != nil {
				t.Fatal(err)
			}
			findings, err := checkConfig(t.Context(), file)
			if err != nil {
				t.Fatal(err)
			}
			found := findings[0]
			if found.Check != "configuration" || tc.want == "" && found.Severity != store.SeverityOK ||
				tc.want != "" && (found.Severity != store.SeverityProblem || !strings.HasPrefix(found.Detail, "it does not load here: ") || !strings.Contains(found.Detail, tc.want)) {
				t.Errorf("%+v, want %q", found, tc.want)
			}
		})
	}
}
