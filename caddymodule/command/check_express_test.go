package command

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/timeouts"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
	_ "github.com/caddyserver/caddy/v2/modules/metrics"
)

// TestCheckExpress: for every server stands whether the lane is on, and what keeps it away.
func TestCheckExpress(t *testing.T) {
	const (
		guarded  = "hookgate\nhookgate_proxy 127.0.0.1:4018\n"
		wrappers = "servers {\nlistener_wrappers {\nhookgate\ntls\n}\n}\n"
	)
	for name, tc := range map[string]struct {
		options, ours, sites string // of the global options, of the block hookgate in there, and what follows
		want                 string
	}{
		"on":                 {wrappers, "", "http://:8080 {\n" + guarded + "}", "on :8080 plain requests take it"},
		"a log":              {wrappers, "", "http://:8080 {\nlog\n" + guarded + "}", "on :8080 plain requests take it"},
		"off":                {wrappers, "express off\n", "http://:8080 {\n" + guarded + "}", "off on :8080: express off"},
		"no wrapper":         {"", "", "http://:8080 {\n" + guarded + "}", "off on :8080: it does not have hookgate in listener_wrappers"},
		"another wrapper":    {"servers {\nlistener_wrappers {\nhookgate\nhttp_redirect\ntls\n}\n}\n", "", "http://:8080 {\n" + guarded + "}", "off on :8080: it has other listener wrappers"},
		"TLS":                {wrappers, "", "https://hooks.example.com:8443 {\n" + guarded + "}", "off on :8443: it speaks TLS"},
		"TLS by itself":      {wrappers, "", "hooks.example.com {\n" + guarded + "}", "off on :443: it speaks TLS"},
		"metrics":            {wrappers + "metrics\n", "", "http://:8080 {\n" + guarded + "}", "off on :8080: Caddy's own metrics are on"},
		"a bound of answers": {strings.Replace(wrappers, "servers {\n", "servers {\ntimeouts {\nwrite 2s\n}\n", 1), "", "http://:8080 {\n" + guarded + "}", "off on :8080: its timeouts bound how long a whole answer takes"},
		"a rate of answers":  {strings.Replace(wrappers, "servers {\n", "servers {\ntimeouts {\nwrite_idle 10s 100\n}\n", 1), "", "http://:8080 {\n" + guarded + "}", "off on :8080: its timeouts bound how long a whole answer takes"},
		"a bound of silence": {strings.Replace(wrappers, "servers {\n", "servers {\ntimeouts {\nwrite_idle 10s\n}\n", 1), "", "http://:8080 {\n" + guarded + "}", "on :8080 plain requests take it"},
		"errors":             {wrappers, "", "http://:8080 {\n" + guarded + "handle_errors {\nrespond no\n}\n}", "off on :8080: it has handle_errors"},
		"another handler":    {wrappers, "", "http://:8080 {\nheader X-A b\n" + guarded + "}", "off on :8080: it has no site of a guard and hookgate_proxy alone"},
		"without any guard":  {wrappers, "", "http://:8080 {\nrespond hello\n}", "off on :8080: it has no site of a guard and hookgate_proxy alone"},
	} {
		t.Run(name, func(t *testing.T) {
			adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt(textOf(t, tc.options, tc.ours, tc.sites), nil)
			if err != nil {
				t.Fatal(err)
			}
			config := new(caddy.Config)
			if err := json.Unmarshal(adapted, config); err != nil {
				t.Fatal(err)
			}
			servers, err := configuredServers(config)
			if err != nil {
				t.Fatal(err)
			}
			l, load := checkLoad(config)
			if l == nil {
				t.Fatal(load)
			}
			findings := checkExpress(l, servers.Servers)
			if len(findings) != 1 || !strings.HasPrefix(findings[0].Detail, tc.want) {
				t.Errorf("%v, want %q", findings, tc.want)
			}
		})
	}
}
