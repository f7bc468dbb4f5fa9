package handlers

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestUnhandled: what no handler took is never answered 2xx by a server with a guard,
// whichever site it was for.
func TestUnhandled(t *testing.T) {
	const (
		callback = "/v1/exceptions/7d4f/callback"
		proxy    = "hookgate\nhookgate_proxy 127.0.0.1:9\n"
		caddys   = "hookgate\nreverse_proxy 127.0.0.1:9\n"
	)
	for _, tc := range []struct {
		name, sites, host, path string
		status                  int
		code                    string
	}{
		{"own Host", "http://hooks.example.com:8080 {\n" + proxy + "}", "hooks.example.com", callback, 401, "HKG-1401"},
		{"own Host and port", "http://hooks.example.com:8080 {\n" + proxy + "}", "hooks.example.com:8080", callback, 401, "HKG-1401"},
		{"the upstream's Host", "http://hooks.example.com:8080 {\n" + proxy + "}", "127.0.0.1:8080", callback, 421, "HKG-1421"},
		{"trailing dot", "http://hooks.example.com:8080 {\n" + proxy + "}", "hooks.example.com.", callback, 421, "HKG-1421"},
		{"Caddy's proxy", "http://hooks.example.com:8080 {\n" + caddys + "}", "other.example.com", callback, 421, "HKG-1421"},
		{"Host of no site", "http://a.example.com:8080 {\n" + proxy + "}\nhttp://b.example.com:8080 {\nrespond hello\n}", "c.example.com", callback, 421, "HKG-1421"},
		{"another site of the server", "http://a.example.com:8080 {\n" + proxy + "}\nhttp://b.example.com:8080 {\nrespond hello\n}", "b.example.com", callback, 200, ""},
		{"another site's path", "http://a.example.com:8080 {\n" + proxy + "}\nhttp://b.example.com:8080 {\nrespond /x hello\n}", "b.example.com", "/y", 404, "HKG-1404"},
		{"site with a path", "http://hooks.example.com:8080/v1/* {\n" + proxy + "}", "hooks.example.com", "/v2", 404, "HKG-1404"},
		{"outside handle_path", "http://:8080 {\nhandle_path /hooks/* {\n" + proxy + "}\n}", "hooks.example.com", callback, 404, "HKG-1404"},
		{"inside handle_path", "http://:8080 {\nhandle_path /hooks/* {\n" + proxy + "}\n}", "hooks.example.com", "/hooks" + callback, 401, "HKG-1401"},
		{"outside handle_path, Host", "http://hooks.example.com:8080 {\nhandle_path /hooks/* {\n" + proxy + "}\n}", "hooks.example.com", callback, 404, "HKG-1404"},
		{"outside a matcher", "http://:8080 {\n@post method POST\nhandle @post {\n" + proxy + "}\n}", "hooks.example.com", callback, 401, "HKG-1401"},
		{"two guards", "http://a.example.com:8080 {\n" + proxy + "}\nhttp://b.example.com:8080 {\n" + caddys + "}", "b.example.com", callback, 401, "HKG-1401"},
		{"two guards, neither's Host", "http://a.example.com:8080 {\n" + proxy + "}\nhttp://b.example.com:8080 {\n" + caddys + "}", "c.example.com", callback, 421, "HKG-1421"},
		{"no guard", "http://a.example.com:8080 {\nrespond hello\n}\nhttp://:8081 {\n" + proxy + "}", "c.example.com", callback, 200, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			handler := caddyServer(t, 8080, tc.sites)
			for _, h2 := range []bool{false, true} {
				server := httptest.NewUnstartedServer(handler)
				server.EnableHTTP2 = h2
				server.StartTLS()
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+tc.path, strings.NewReader("event"))
				if err != nil {
					t.Fatal(err)
				}
				r.Host = tc.host
				answer, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				if code := problemOf(t, answer); answer.StatusCode != tc.status || code != tc.code || answer.ProtoMajor == 2 != h2 {
					t.Errorf("%s: %d %q, want %d %q", answer.Proto, answer.StatusCode, code, tc.status, tc.code)
				}
				server.Close()
			}
		})
	}
}
