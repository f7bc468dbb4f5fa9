package gate

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/guard"
)

// before puts a gate in front of an upstream, and returns an answer of the gate.
func before(t *testing.T, g *Gate, upstream http.HandlerFunc, headers ...string) *http.Response {
	t.Helper()
	behind := httptest.NewServer(upstream)
	t.Cleanup(behind.Close)
	target, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Ours", "1")
		err := g.Serve(w, r, handler(func(w http.ResponseWriter, r *http.Request) error {
			proxy.ServeHTTP(w, r)
			return nil
		}))
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(front.Close)
	request, err := http.NewRequest(http.MethodPost, front.URL+callbackPath, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Callback-Token", callbackToken)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// asserting makes a gate vouch with a JWT.
func asserting(t *testing.T, g *Gate) {
	t.Helper()
	asserter, err := guard.NewAsserter(guard.Assertion{Algorithm: "HS256", Secret: []byte("s"), TTL: time.Minute, Issuer: "i", Audience: "a"})
	if err != nil {
		t.Fatal(err)
	}
	g.Policy.Asserter = asserter
}

const (
	jsonType = "application/json; charset=utf-8"
	textType = "text/plain"
)

// TestMatchersAnswers: those about us become failures of ours, and all others pass to the
// byte.
func TestMatchersAnswers(t *testing.T) {
	for _, tc := range []struct {
		name       string
		noJWT      bool // the guard vouches for nobody
		status     int
		media      string
		body       string
		want       int
		code       string // of our answer; "": the upstream's passes
		retryAfter string
	}{
		{"accepted", false, 200, jsonType, `{"status":"accepted"}`, 200, "", ""},
		{"JWT refused", false, 401, jsonType, `{"code":"MTCH-0003"}`, 502, "HKG-1511", ""},
		{"authorisation service says no", false, 403, textType, "Forbidden", 502, "HKG-1511", ""},
		{"tenant unknown", false, 404, jsonType, `{"code":"TENANT_NOT_FOUND"}`, 502, "HKG-1511", ""},
		{"exception unknown", false, 404, jsonType, ` {"code":"MTCH-0501"} `, 404, "", ""},
		{"tenant unknown, as text", false, 404, textType, `{"code":"TENANT_NOT_FOUND"}`, 404, "", ""},
		{"token refused", true, 401, jsonType, `{"code":"MTCH-0003"}`, 401, "", ""},
		{"forbidden without a JWT", true, 403, textType, "Forbidden", 403, "", ""},
		{"tenant unknown without a JWT", true, 404, jsonType, `{"code":"TENANT_NOT_FOUND"}`, 404, "", ""},
		{"in progress", true, 409, jsonType, `{"code":"MTCH-0018"}`, 503, "HKG-1512", "5"},
		{"in progress, by an older Matcher", false, 409, "application/problem+json", `{"x":1,"code":"MTCH-0504"}`, 503, "HKG-1512", "5"},
		{"in progress, by the other code", false, 409, jsonType, `{"code":"MTCH-0505"}`, 503, "HKG-1512", "5"},
		{"another conflict", false, 409, jsonType, `{"code":"MTCH-0503"}`, 409, "", ""},
		{"external system at its limit", false, 429, jsonType, `{"code":"MTCH-0506"}`, 503, "HKG-1512", "60"},
		{"sub at its limit", false, 429, jsonType, `{"code":429,"title":"rate_limit_exceeded"}`, 429, "", ""},
		{"limit as text", false, 429, textType, "MTCH-0506", 429, "", ""},
		{"conflict that is no JSON", false, 409, jsonType, `MTCH-0018`, 409, "", ""},
		{"conflict without a body", false, 409, jsonType, ``, 409, "", ""},
		{"long conflict", false, 409, jsonType, `{"code":"MTCH-0018","x":"` + strings.Repeat("x", 3*maxPeek) + `"}`, 409, "", ""},
		{"internal error", false, 500, jsonType, `{"code":"MTCH-0002"}`, 500, "", ""},
		{"redirect", false, 307, textType, "", 307, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, logs := testGate(t)
			if !tc.noJWT {
				asserting(t, g)
			}
			response := before(t, g, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.media)
				w.Header().Set("X-Theirs", "1")
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != tc.want || response.Header.Get("X-Ours") != "1" || response.Header.Get("Retry-After") != tc.retryAfter {
				t.Fatalf("%d %v: %s, %v", response.StatusCode, response.Header, body, err)
			}
			if got := g.Server.(*server).answered; len(got) != 1 || got[0] != tc.status {
				t.Errorf("counted as %v", got)
			}
			theirs := response.Header.Get("X-Theirs") + response.Header.Get("Content-Type")
			if tc.code == "" {
				if string(body) != tc.body || theirs != "1"+tc.media || logs.Len() != 0 {
					t.Errorf("it does not pass as it is: %v %s; logged %v", response.Header, body, logs.All())
				}
				return
			}
			if !strings.Contains(string(body), fmt.Sprintf(`"code":"%s"`, tc.code)) || theirs != "application/problem+json" {
				t.Errorf("%v: %s", response.Header, body)
			}
			all := logs.All()
			if len(all) != 1 || all[0].ContextMap()["upstream_status"] != int64(tc.status) || all[0].ContextMap()["status"] != int64(tc.want) {
				t.Errorf("logged %v", all)
			}
		})
	}
}

// TestStreamsPass: an answer that is not looked at is not held up either.
func TestStreamsPass(t *testing.T) {
	g, _ := testGate(t)
	asserting(t, g)
	read := make(chan struct{})
	response := before(t, g, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "first")
		http.NewResponseController(w).Flush()
		<-read
		io.WriteString(w, "second")
	})
	first := make([]byte, len("first"))
	if _, err := io.ReadFull(response.Body, first); err != nil {
		t.Error(err)
	}
	close(read)
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != "second" {
		t.Errorf("%q, %v", rest, err)
	}
}
