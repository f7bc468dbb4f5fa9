package command

import (
	"strings"
	"testing"

	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"

	_ "github.com/hookgate/hookgate/caddymodule/handlers"
)

// TestCheckSites: what is said of requests that come to no guard.
func TestCheckSites(t *testing.T) {
	const (
		guarded   = "hookgate\nhookgate_proxy matcher:4018\n"
		certified = "hookgate {\nvendor a {\nclient_cert {\nca x\nsubject *\n}\n}\n}\nhookgate_proxy matcher:4018\n"
		asking    = "tls {\nclient_auth {\nmode request\n}\n}\n"
	)
	for name, tc := range map[string]struct {
		sites string
		want  []string // of each finding, in this order
	}{
		"any Host":                        {"http://:8080 {\n" + guarded + "}", nil},
		"one Host":                        {"http://a.example.com:8080 {\n" + guarded + "}", []string{"ok host: on :8080 vendors must send a.example.com as Host"}},
		"two sites":                       {"http://a.example.com:8080 {\n" + guarded + "}\nhttp://b.example.com:8080 {\n" + guarded + "}", []string{"ok host: on :8080 vendors must send a.example.com or b.example.com as Host"}},
		"a site for the others":           {"http://a.example.com:8080 {\n" + guarded + "}\nhttp://:8080 {\n" + guarded + "}", nil},
		"no guard":                        {"http://a.example.com:8080 {\nrespond hello\n}", nil},
		"a path":                          {"http://:8080 {\nhandle_path /hooks/* {\n" + guarded + "}\n}", []string{"ok path: on :8080 the guard stands under /hooks/*"}},
		"a proxy alone":                   {"http://:8080 {\nhookgate_proxy matcher:4018\n}", []string{"problem guard: on :8080 a hookgate_proxy has no guard in front of it"}},
		"a proxy that is unguarded":       {"http://:8080 {\nhookgate_proxy matcher:4018 {\nunguarded\n}\n}", nil},
		"a certificate that is asked for": {"https://a.example.com {\n" + asking + certified + "}", []string{"ok host: on :443"}},
		"a certificate that nobody asks for": {
			"https://a.example.com {\n" + certified + "}\nhttps://b.example.com {\n" + asking + guarded + "}",
			[]string{"problem client_cert: on :443 a vendor needs a client certificate, and a.example.com asks nobody", "ok host: on :443"},
		},
		"a certificate without TLS":  {"http://:8080 {\n" + certified + "}", []string{"problem client_cert: on :8080 a vendor needs a client certificate, and the site asks nobody"}},
		"a certificate of a proxy's": {"http://:8080 {\n" + strings.Replace(certified, "ca x", "ca x\nfrom_header X-C", 1) + "}", nil},
		"a guard for others": {
			"http://:8080 {\nhandle /v1/* {\n" + guarded + "}\nhandle {\nhookgate_proxy matcher:4018\n}\n}",
			[]string{"problem guard: on :8080 a hookgate_proxy has no guard", "ok path: on :8080 the guard stands under /v1/*"},
		},
		"a proxy for more than its guard": {
			"http://:8080 {\n@x path /v1/*\nhookgate @x\nhookgate_proxy matcher:4018\n}",
			[]string{"warning guard: on :8080 a guard has a matcher and the hookgate_proxy behind it has none", "ok path: on :8080 the guard stands under /v1/*"},
		},
		"a guard within route": {"http://:8080 {\nroute {\nhookgate\n}\nhookgate_proxy matcher:4018\n}", nil},
		"a guard within route of a matcher": {
			"http://:8080 {\nroute /v1/* {\nhookgate\n}\nhookgate_proxy matcher:4018\n}",
			[]string{"warning guard: on :8080 a guard has a matcher and the hookgate_proxy behind it has none", "ok path: on :8080 the guard stands under /v1/*"},
		},
		"a guard and its proxy within route, and another proxy": {
			"http://:8080 {\nroute /v1/* {\n" + guarded + "}\nhookgate_proxy matcher:4018\n}",
			[]string{"problem guard: on :8080 a hookgate_proxy has no guard", "ok path: on :8080 the guard stands under /v1/*"},
		},
		"a proxy with the matcher of its guard": {"http://:8080 {\n@x method POST\nhookgate @x\nhookgate_proxy @x matcher:4018\n}", nil},
		"guards of two matchers, one of all":    {"http://:8080 {\n@x method POST\nhookgate @x\nhookgate\nhookgate_proxy matcher:4018\n}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			findings, err := checkSites(serversOf(t, tc.sites))
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range findings {
				text := string(f.Severity) + " " + f.Check + ": " + f.Detail
				if i >= len(tc.want) || !strings.HasPrefix(text, tc.want[i]) {
					t.Errorf("finding %d: %s", i, text)
				}
			}
			if len(findings) < len(tc.want) {
				t.Errorf("%d findings, want %q", len(findings), tc.want)
			}
		})
	}
}
