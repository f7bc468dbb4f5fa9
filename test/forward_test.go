package test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// fixture returns a body as a vendor sends it.
func fixture(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestForward(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr})
		admin := g.operator(t, tenantA, "admin")
		jira := admin.mintCallback("JIRA é/1")
		plain := admin.mintCallback("")
		pluggy, belvo := admin.mintWebhook("pluggy"), admin.mintWebhook("belvo")

		callback := map[string]string{"X-Hookgate-Kind": "callback"}
		labelled := map[string]string{"X-Hookgate-Kind": "callback", "X-Hookgate-External-System": "JIRA%20%C3%A9%2F1"}
		webhook := func(vendor string) map[string]string {
			return map[string]string{
				"X-Hookgate-Kind": "webhook", "X-Hookgate-Vendor": vendor, "X-Hookgate-Connection": vendor + "-main",
			}
		}
		// Nothing in a query decides anything, so all of it passes.
		const query = "?a=1&b=%2F..%2f&c=%zz&d;e&token=x"
		for _, test := range []struct {
			name     string
			c        credential
			target   string
			body     string
			want     string // path at the upstream
			identity map[string]string
		}{
			{"callback", jira, callbackPath, fixture(t, "matcher-callback.json"), callbackPath, labelled},
			{"callback without a label", plain, callbackPath, fixture(t, "matcher-callback.json"), callbackPath, callback},
			{"callback with a query", jira, callbackPath + query, "{}", callbackPath + query, labelled},
			{"callback with an empty query", jira, callbackPath + "?", "{}", callbackPath + "?", labelled},
			{"pluggy", pluggy, pluggy.path(), fixture(t, "pluggy-item-updated.json"), webhooksPath + "pluggy/" + pluggy.id, webhook("pluggy")},
			{"belvo", belvo, belvo.path(), fixture(t, "belvo-historical-update.json"), webhooksPath + "belvo/" + belvo.id, webhook("belvo")},
			{"belvo with a query", belvo, belvo.path() + query, "{}", webhooksPath + "belvo/" + belvo.id + query, webhook("belvo")},
			{"empty body", jira, callbackPath, "", callbackPath, labelled},
			{"not JSON", jira, callbackPath, "\x00\xff\r\n\r\n", callbackPath, labelled},
			{"large body", jira, callbackPath, strings.Repeat("0123456789abcdef", 1<<16), callbackPath, labelled},
		} {
			for _, chunked := range []bool{false, true} {
				name := test.name
				if chunked {
					name += ", chunked"
				}
				t.Run(name, func(t *testing.T) {
					headers := []string{"Content-Type: application/json", "X-Custom: kept", "X-Custom: twice", "Authorization: Bearer client"}
					if test.c.vendor == "" {
						headers = append(headers, "X-Callback-Token: "+test.c.token)
					}
					var body io.Reader = strings.NewReader(test.body)
					if chunked {
						body = io.MultiReader(body) // hides the length
					}
					wantStatus(t, g.sendTarget(t, test.target, body, headers...), http.StatusOK)
					got := u.one(t)
					if got.method != http.MethodPost || got.target != test.want {
						t.Errorf("%s %s, want POST %s", got.method, got.target, test.want)
					}
					if got.body != test.body || got.broken {
						t.Errorf("body of %d bytes, want %d: %.200q", len(got.body), len(test.body), got.body)
					}
					wantHeader(t, got, "Content-Type", "application/json")
					wantHeader(t, got, "X-Custom", "kept", "twice")
					wantHeader(t, got, "Authorization")
					wantHeader(t, got, "X-Callback-Token")
					wantIdentity(t, got, tenantA, test.c.id, test.identity)
					if strings.Contains(got.String(), test.c.token) {
						t.Errorf("the token reached the upstream:\n%s", got)
					}
				})
			}
		}
	})
}

// sendTarget posts to a target that net/url would spell differently.
func (g *gate) sendTarget(t testing.TB, target string, body io.Reader, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, g.Vendors, body)
	if err != nil {
		t.Fatal(err)
	}
	path, query, found := strings.Cut(target, "?")
	r.URL = &url.URL{Scheme: "http", Host: r.URL.Host, Path: path, RawQuery: query, ForceQuery: found}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header[name] = append(r.Header[name], value)
	}
	response, err := g.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

// wantHeader checks every value of a header, in whatever spelling it arrived.
func wantHeader(t testing.TB, got received, name string, want ...string) {
	t.Helper()
	var values []string
	for key, list := range got.header {
		if normal(key) == normal(name) {
			values = append(values, list...)
		}
	}
	if strings.Join(values, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: %q, want %q", name, values, want)
	}
}

// normal is what CGI-like servers make of a header's name.
func normal(name string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
}

// wantIdentity checks that the identity headers are those of a credential, each
// once, and no others.
func wantIdentity(t testing.TB, got received, tenant, id string, others map[string]string) {
	t.Helper()
	want := map[string]string{"x-tenant-id": tenant, "x-hookgate-credential-id": id}
	for name, value := range others {
		want[normal(name)] = value
	}
	for name, values := range got.header {
		name = normal(name)
		if name != "x-tenant-id" && !strings.HasPrefix(name, "x-hookgate") {
			continue
		}
		if len(values) != 1 || values[0] != want[name] {
			t.Errorf("%s: %q, want %q once", name, values, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestUpstreamAnswerPassesUnchanged(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	for _, status := range []int{200, 201, 202, 204, 302, 400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			body := []byte("\x00{\"from\":\"matcher\"}\r\n")
			u.answerWith(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["X-Upstream"] = []string{"one", "two"}
				w.Header().Set("Content-Type", "application/vnd.matcher+json")
				w.Header().Set("X-Request-Id", "matcher's own")
				w.Header().Set("WWW-Authenticate", "Matcher")
				w.Header().Set("Location", "/elsewhere")
				w.Header().Set("Retry-After", "17")
				w.WriteHeader(status)
				if status != http.StatusNoContent {
					w.Write(body)
				}
			})
			a := g.use(t, c)
			wantStatus(t, a, status)
			got := u.one(t)
			if status == http.StatusNoContent {
				body = nil
			}
			if !bytes.Equal(a.body, body) {
				t.Errorf("body %q", a.body)
			}
			for name, want := range map[string]string{
				"X-Upstream": "one,two", "Content-Type": "application/vnd.matcher+json", "X-Request-Id": got.header.Get("X-Request-Id"),
				"Www-Authenticate": "Matcher", "Location": "/elsewhere", "Retry-After": "17",
			} {
				if got := strings.Join(a.header[name], ","); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}
