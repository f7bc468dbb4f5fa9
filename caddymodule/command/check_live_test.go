package command

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// TestCheckLive: what loads, and is not meant.
func TestCheckLive(t *testing.T) {
	const (
		admin   = "hookgate_admin {\njwt {\nsecret x\n}\n}\n"
		vendors = "http://:8080 {\nhookgate\nhookgate_proxy matcher:4018\n}\n"
	)
	lookup := func(_ context.Context, host string) ([]string, error) {
		if host == "matcher" {
			return []string{"10.0.0.1"}, nil
		}
		return nil, errors.New("no such host")
	}
	for name, tc := range map[string]struct {
		sites string
		want  []string // the beginnings of all findings, in this order
	}{
		"all is there":              {vendors + "http://:8081 {\nbind 127.0.0.1\n" + admin + "}", nil},
		"addresses and sockets":     {"http://:8080 {\nhookgate\nhookgate_proxy [::1]:4018\n}\nhttp://:8082 {\nhookgate\nhookgate_proxy unix//run/matcher\n}", nil},
		"no guard":                  {"http://:8080 {\nrespond hello\n}", []string{"guard: no site has a guard"}},
		"no proxy":                  {"http://:8080 {\nhookgate\n}", []string{"proxy: on :8080 no proxy stands behind the guard"}},
		"unknown upstream":          {"http://:8080 {\nhookgate\nhookgate_proxy https://matchr:4018\n}", []string{"upstream: on :8080 the name of an upstream is not known here: matchr"}},
		"unknown upstream of Caddy": {"http://:8080 {\nhookgate\nreverse_proxy matchr:4018 {\ntransport http {\nresponse_header_timeout 4s\n}\n}\n}", []string{"upstream: on :8080 the name of an upstream is not known here: matchr"}},
		"an upstream of a request":  {"http://:8080 {\nhookgate\nreverse_proxy {http.vars.x}:4018 {\ntransport http {\nresponse_header_timeout 4s\n}\n}\n}", nil},
		"no timeout":                {"http://:8080 {\nhookgate\nreverse_proxy matcher:4018\n}", []string{"timeout: on :8080 a reverse_proxy waits for its upstream"}},
		"no guard in front": {
			vendors + "http://:8082 {\nhandle {\nreverse_proxy matcher:4018 {\ntransport http {\nresponse_header_timeout 4s\n}\n}\n}\n}",
			[]string{"guard: on :8082 a reverse_proxy has no guard in front of it"},
		},
		"a guard elsewhere in front": {
			"http://:8080 {\nhandle /v1/* {\nhookgate\nhookgate_proxy matcher:4018\n}\nhandle {\nreverse_proxy matcher:4018 {\ntransport http {\nresponse_header_timeout 4s\n}\n}\n}\n}",
			[]string{"guard: on :8080 a reverse_proxy has no guard in front of it"},
		},
		"a guard in a named route": {"&(guarded) {\nroute {\nhookgate\nhookgate_proxy matcher:4018\n}\n}\nhttp://:8080 {\ninvoke guarded\n}", nil},
		"no guard after an error":  {vendors + "http://:8082 {\nhandle_errors {\nreverse_proxy matcher:4018 {\ntransport http {\nresponse_header_timeout 4s\n}\n}\n}\n}", []string{"guard: on :8082 a reverse_proxy has no guard in front of it"}},
		"unknown Matcher and issuer": {vendors + "http://:8081 {\nbind 127.0.0.1\nhookgate_admin {\njwt {\njwks_url https://issuer.example.com/keys\n}\nconnections matcher http://matchr:4018\n}\n}", []string{
			"connections: on 127.0.0.1:8081 the name in connections is not known here: matchr", "jwks_url: on 127.0.0.1:8081 the name in jwks_url is not known here: issuer.example.com",
		}},
		"admin for everybody":           {vendors + "http://:8081 {\n" + admin + "}", []string{"admin API: on :8081 the admin API listens on every address"}},
		"admin for everybody, spelled":  {vendors + "http://:8081 {\nbind 0.0.0.0\n" + admin + "}", []string{"admin API: on 0.0.0.0:8081 the admin API"}},
		"admin for everybody over IPv6": {vendors + "http://:8081 {\nbind [::]\n" + admin + "}", []string{"admin API: on [::]:8081 the admin API"}},
	} {
		t.Run(name, func(t *testing.T) {
			findings, err := checkLive(t.Context(), serversOf(t, tc.sites), lookup)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range findings {
				got = append(got, f.Check+": "+f.Detail)
			}
			if !slices.EqualFunc(got, tc.want, strings.HasPrefix) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
