package guard

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const ourToken = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"

func TestRequestID(t *testing.T) {
	basic := func(pair string) http.Header {
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}}
	}
	for _, test := range []struct {
		name   string
		lines  []string
		header http.Header
		target string
		kept   bool
	}{
		{name: "a UUID", lines: []string{"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a5b"}, kept: true},
		{name: "all characters", lines: []string{"AZaz09._-"}, kept: true},
		{name: "the longest", lines: []string{strings.Repeat("x", maxRequestID)}, kept: true},
		{name: "the same in headers for ids", lines: []string{"a"}, header: http.Header{"X-Correlation-Id": {"a"}, "Idempotency-Key": {"a"}}, kept: true},
		{name: "none"},
		{name: "empty", lines: []string{""}},
		{name: "too long", lines: []string{strings.Repeat("x", maxRequestID+1)}},
		{name: "two lines", lines: []string{"a", "a"}},
		{name: "two in a line", lines: []string{"a, b"}},
		{name: "quotes", lines: []string{`a"b`}},
		{name: "blank", lines: []string{"a b"}},
		{name: "line break", lines: []string{"a\r\nb"}},
		{name: "not ASCII", lines: []string{"é"}},
		{name: "percent", lines: []string{"%6D"}},
		{name: "a token of ours", lines: []string{ourToken}},
		{name: "a token of ours within", lines: []string{"x-" + ourToken[:20]}},
		{name: "a token of ours in base64", lines: []string{base64.RawStdEncoding.EncodeToString([]byte(ourToken))}},
		{name: "the header token", lines: []string{"foreign.token"}, header: http.Header{"X-Callback-Token": {"foreign.token"}}},
		{name: "a bearer token", lines: []string{"foreign.token"}, header: http.Header{"Authorization": {"Bearer  foreign.token"}}},
		{name: "a password", lines: []string{"secret-1"}, header: basic("acme:secret-1")},
		{name: "a segment of the path", lines: []string{"foreign.token"}, target: "/v1/discovery/webhooks/pluggy/foreign.token"},
		{name: "in the query", lines: []string{"foreign.token"}, target: "/?t=foreign.token"},
		{name: "part of a segment", lines: []string{"foreign"}, target: "/x/foreign.token", kept: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"Content-Type": {"application/json"}}
			maps.Copy(header, test.header)
			if test.lines != nil {
				header[HeaderRequestID] = test.lines
			}
			want := ""
			if test.kept {
				want = test.lines[0]
			}
			if got := RequestID(header, test.target); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func FuzzRequestID(f *testing.F) {
	f.Add("0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a5b", "X-Callback-Token", "mcb_x", "/v1/x?y")
	f.Add("secret", "Authorization", "Basic YTpzZWNyZXQ=", "/")
	f.Fuzz(func(t *testing.T, id, name, value, target string) {
		if name == HeaderRequestID {
			return
		}
		switch got := RequestID(map[string][]string{HeaderRequestID: {id}, name: {value}}, target); {
		case got == "":
		case got != id || len(got) > maxRequestID || !madeOf(got, idByte) || strings.Contains(got, ourToken):
			t.Errorf("%q is kept as %q", id, got)
		case got == value && !repeatingHeaders[name]:
			t.Errorf("%q is kept, and is the value of %s", got, name)
		}
	})
}

// TestRequestIDOfTheUpstream: an upstream sees one id, whatever names it takes for that
// header.
func TestRequestIDOfTheUpstream(t *testing.T) {
	given := func() map[string][]string {
		return map[string][]string{
			"X-Request-Id": {"a", "b"}, "X_Request_Id": {"c"}, "x.request.id": {"d"}, "X-REQUEST-ID": {"e"}, "X-Request-Id2": {"f"},
			"Connection": {"X-Request-Id"},
		}
	}
	p := Policy{PassHeaders: []string{"X_Request_Id"}}
	f, err := p.Forwarding(&Decision{Identity: &callbackUser, route: new(Route), requestID: "ours"}, now)
	if err != nil {
		t.Fatal(err)
	}
	forwarded := given()
	f.Apply(forwarded)
	unguarded := given()
	SetRequestID(unguarded, "ours")
	for name, header := range map[string]map[string][]string{"behind a guard": forwarded, "without": unguarded} {
		var names []string
		for name := range header {
			if isAlias(name, HeaderRequestID) {
				names = append(names, name)
			}
		}
		if !slices.Equal(names, []string{HeaderRequestID}) || !slices.Equal(header[HeaderRequestID], []string{"ours"}) || header["X-Request-Id2"] == nil {
			t.Errorf("%s: %v", name, header)
		}
	}
	if CanPass("X_Request_Id") || !CanPass("x-request-id") {
		t.Error("pass_headers take another spelling, or not the header itself")
	}
}
