package command

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// TestCheckMatcher: what is said of guards that name no version.
func TestCheckMatcher(t *testing.T) {
	for site, want := range map[string]string{
		"hookgate {\nmatcher 4\n}": "",
		"hookgate":                 "warning a guard takes callbacks",
		"hookgate {\ncallback /c/{exceptionId}\n}":                          "warning a guard takes callbacks",
		"handle /v1/* {\nhookgate\n}":                                       "warning a guard takes callbacks",
		"hookgate {\napi /ping\n}":                                          "ok a guard without callbacks",
		"hookgate {\nwebhook /w/{vendor}/{token}\n}":                        "ok a guard without callbacks",
		"hookgate {\nmatcher 2 {\ntenants a\n}\ncallback /{exceptionId}\n}": "",
		"respond hello": "",
	} {
		adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte("http://:8080 {\n"+site+"\n}"), nil)
		if err != nil {
			t.Fatal(err)
		}
		var config struct {
			Apps struct{ HTTP caddyhttp.App }
		}
		if err := json.Unmarshal(adapted, &config); err != nil {
			t.Fatal(err)
		}
		findings, err := checkMatcher(config.Apps.HTTP.Servers)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range findings {
			got += string(f.Severity) + " " + strings.Replace(f.Detail, "on :8080 ", "", 1)
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", site, got, want)
		}
	}
}
