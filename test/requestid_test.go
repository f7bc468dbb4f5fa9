package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// linesWith returns the lines of the log that have a request id, once there are n of them,
// without what Caddy's reverse_proxy says for debugging.
func (g *gate) linesWith(t testing.TB, id string, n int) (lines []map[string]any) {
	t.Helper()
	hookgatetest.Eventually(t, fmt.Sprintf("%d lines of the log have the request id %s", n, id), func() bool {
		lines = nil
		for text := range strings.Lines(g.Output.String()) {
			var line map[string]any
			if json.Unmarshal([]byte(text), &line) == nil && line["request_id"] == id && line["logger"] != "http.handlers.reverse_proxy" {
				lines = append(lines, line)
			}
		}
		return len(lines) >= n
	})
	if len(lines) > n {
		t.Errorf("%d lines have the request id %s, want %d: %v", len(lines), id, n, lines)
	}
	return lines
}

// TestOneRequestID: the id of a request is the same at the vendor, in every line of the
// log and at the upstream, whatever becomes of it.
func TestOneRequestID(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{"max_body 1KB"}})
	admin := g.operator(t, tenantA, "admin")
	c, w := admin.mintCallback(""), admin.mintWebhook("pluggy")
	text := strings.Replace(g.config.text(t, g.ports), "\thookgate {\n\t\tmax_body", "\thandle /robots.txt {\n\t\trespond none 200\n\t}\n\thandle /fails {\n\t\terror 418\n\t}\n\thandle {\n\thookgate {\n\t\tmax_body", 1)
	at := strings.Index(text, "\t"+terminal+" ")
	end := at + strings.Index(text[at:], "\n\t}\n") + len("\n\t}\n")
	text = text[:end] + "\t}\n" + text[end:]
	g.write(text)
	g.Reload(reloaded)
	u.answerWith(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Request-Id"] = []string{"theirs", "theirs too"}
		switch r.Header.Get("X-Do") {
		case "hint":
			w.WriteHeader(http.StatusEarlyHints)
		case "break off":
			panic(http.ErrAbortHandler)
		}
	})
	token := "X-Callback-Token: " + c.token
	for _, test := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		lines                    int // of the log, that of the access log among them
		reaches                  bool
	}{
		{"accepted", "POST", callbackPath, "{}", []string{token}, 200, 1, true},
		{"accepted after an interim answer", "POST", callbackPath, "{}", []string{token, "X-Do: hint"}, 200, 1, true},
		{"probe", "GET", w.path(), "", nil, 204, 1, false},
		{"path", "POST", "//", "", nil, 400, 2, false},
		{"no token", "POST", callbackPath, "{}", nil, 401, 2, false},
		{"route", "POST", "/nowhere", "{}", nil, 404, 2, false},
		{"large", "POST", callbackPath, strings.Repeat("x", 1001), []string{token}, 413, 2, false},
		{"upstream fails", "POST", callbackPath, "{}", []string{token, "X-Do: break off"}, 502, 2, true},
		{"another handler", "GET", "/robots.txt", "", nil, 200, 1, false},
		{"another handler's error", "GET", "/fails", "", nil, 418, 2, false},
	} {
		for _, given := range []struct {
			lines []string
			kept  bool
		}{
			{nil, false},
			{[]string{"vendor-" + strings.NewReplacer(" ", ".", "'", "").Replace(test.name)}, true},
			{[]string{"two", "lines"}, false},
			{[]string{c.token}, false},
		} {
			t.Run(fmt.Sprint(test.name, len(given.lines), given.kept), func(t *testing.T) {
				u.take()
				headers := slices.Clone(test.headers)
				for _, line := range given.lines {
					headers = append(headers, "X-Request-Id: "+line)
				}
				a := g.send(t, test.method, g.Vendors+test.path, strings.NewReader(test.body), headers...)
				wantStatus(t, a, test.status)
				ids := a.header["X-Request-Id"]
				if len(ids) != 1 || given.kept && !strings.HasPrefix(ids[0], "vendor-") || !given.kept && len(ids[0]) != 36 {
					t.Fatalf("X-Request-Id: %q", ids)
				}
				if test.reaches {
					if got := u.one(t).header["X-Request-Id"]; !slices.Equal(got, ids) {
						t.Errorf("the upstream got %q, the vendor %q", got, ids)
					}
				}
				lines := g.linesWith(t, ids[0], test.lines)
				if len(a.body) == 0 || test.lines == 1 {
					return
				}
				var document struct{ Instance string }
				if err := json.Unmarshal(a.body, &document); err != nil {
					t.Fatal(err)
				}
				instance := "urn:uuid:" + ids[0]
				if given.kept {
					instance = "urn:hookgate:request:" + ids[0]
				}
				if document.Instance != instance {
					t.Errorf("instance %s", document.Instance)
				}
				ours := slices.IndexFunc(lines, func(line map[string]any) bool { return line["outcome"] != nil })
				if ours < 0 || lines[ours]["client_ip"] != "127.0.0.1" || lines[ours]["route"] == nil || lines[ours]["status"] != float64(test.status) {
					t.Errorf("the log says %v", lines)
				}
			})
		}
	}
}

// TestRequestIDWithoutAGuard: it goes through the proxy of Matcher's other routes, too.
func TestRequestIDWithoutAGuard(t *testing.T) {
	t.Parallel()
	if terminal != "hookgate_proxy" {
		t.Skip("Caddy's reverse_proxy without a guard is not ours")
	}
	u := newUpstream(t)
	u.answerWith(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Request-Id", "theirs") })
	g := start(t, config{store: embedded(t), upstream: u.addr, proxy: []string{"unguarded"}})
	text := g.config.text(t, g.ports)
	at := strings.Index(text, "\thookgate {\n\t\tfailure_limit")
	end := at + strings.Index(text[at:], "\n\t}\n") + len("\n\t}\n")
	g.write(text[:at] + text[end:])
	g.Reload(reloaded)
	a := g.get(t, g.Vendors+"/v1/exceptions", "X-Request-Id: from-the-ui", "X_Request_Id: forged")
	wantStatus(t, a, http.StatusOK)
	got := u.one(t)
	if ids := a.header["X-Request-Id"]; !slices.Equal(ids, []string{"from-the-ui"}) || !slices.Equal(got.header["X-Request-Id"], ids) || got.header["X_request_id"] != nil {
		t.Errorf("the client got %q, the upstream %v", ids, got.header)
	}
	g.linesWith(t, "from-the-ui", 1)
}

// TestRefusedOperatorIsLogged: whoever is turned away at the admin API is in one line of the
// log, with the id that the answer has.
func TestRefusedOperatorIsLogged(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	viewer := g.operator(t, tenantA, "viewer")
	for _, test := range []struct {
		a                       answer
		status                  int
		code, operation, tenant any
	}{
		{g.get(t, g.Admin+callbackCredentials), 401, "HKG-2401", "listCallbackCredentials", nil},
		{g.get(t, g.Admin+callbackCredentials, "Authorization: Bearer x.y.z", "X-Request-Id: theirs"), 401, "HKG-2401", "listCallbackCredentials", nil},
		{viewer.do(http.MethodPost, callbackCredentials, "{}"), 403, "HKG-2403", "mintCallbackCredential", tenantA},
	} {
		wantProblem(t, test.a, test.status, test.code.(string))
		for _, line := range g.linesWith(t, test.a.header.Get("X-Request-Id"), 2) {
			if line["logger"] == "http.log.access" {
				continue
			}
			if line["client_ip"] != "127.0.0.1" || line["code"] != test.code || line["operation"] != test.operation || line["tenant"] != test.tenant || line["msg"] != "refused" {
				t.Errorf("the log says %v", line)
			}
		}
	}
}
