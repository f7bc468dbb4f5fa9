package test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestNothingIsExpanded: what a client or an operator writes is never taken for a
// placeholder of Caddy's. This one would be the secret of the operators' JWTs.
func TestNothingIsExpanded(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Answer", "{env.HOOKGATE_TEST_SECRET} {http.request.uri}")
		io.WriteString(w, "{env.HOOKGATE_TEST_SECRET}")
	})
	g := start(t, config{store: embedded(t), upstream: u.addr})
	admin := g.operator(t, tenantA, "admin")
	var seen strings.Builder
	for _, placeholder := range []string{
		"{env.HOOKGATE_TEST_SECRET}", "{$HOOKGATE_TEST_SECRET}", "{{env.HOOKGATE_TEST_SECRET}}", "{file./etc/passwd}", "{http.request.uri}",
		"{http.request.header.X-Callback-Token}", "{http.auth.user.id}", "{http.vars.client_ip}", `\{env.HOOKGATE_TEST_SECRET\}`,
	} {
		c := admin.mintCallback(placeholder)
		conn := g.dial(t)
		conn.write(
			"POST "+callbackPath+"?a="+placeholder+" HTTP/1.1", "Host: hooks.example.com", "X-Callback-Token: "+c.token, "Content-Length: "+decimalLength(placeholder),
			"X-Other: "+placeholder, "User-Agent: "+placeholder, "Referer: "+placeholder, "Cookie: "+placeholder,
		)
		io.WriteString(conn, placeholder)
		a := conn.answer(http.MethodPost)
		wantStatus(t, a, http.StatusOK)
		if a.header.Get("X-Answer") != "{env.HOOKGATE_TEST_SECRET} {http.request.uri}" || string(a.body) != "{env.HOOKGATE_TEST_SECRET}" {
			t.Errorf("%s: the answer is %v %s", placeholder, a.header, a.body)
		}
		got := u.one(t)
		for _, name := range []string{"X-Other", "User-Agent", "Referer", "Cookie"} {
			wantHeader(t, got, name, placeholder)
		}
		if got.target != callbackPath+"?a="+placeholder || got.body != placeholder {
			t.Errorf("%s: %s with %q", placeholder, got.target, got.body)
		}
		wantHeader(t, got, "X-Hookgate-External-System", strings.NewReplacer("{", "%7B", "}", "%7D", "/", "%2F", `\`, "%5C").Replace(placeholder))
		seen.WriteString(got.String())

		for _, lines := range [][]string{ // refusals
			{"POST /v1/exceptions/" + placeholder + "/callback HTTP/1.1"},
			{"POST " + webhooksPath + "pluggy/" + placeholder + " HTTP/1.1"},
			{"POST " + webhooksPath + placeholder + "/x HTTP/1.1"},
			{"POST /" + placeholder + " HTTP/1.1"},
			{"POST " + callbackPath + " HTTP/1.1", "X-Callback-Token: " + placeholder},
			{placeholder + " " + callbackPath + " HTTP/1.1"},
		} {
			conn := g.dial(t)
			conn.write(append(lines, "Host: "+placeholder, "Connection: close")...)
			text, _ := io.ReadAll(conn)
			seen.Write(text)
		}
	}
	u.wantNothing(t)
	g.stop()
	for what, text := range map[string]string{"what was sent on and answered": seen.String(), "the output": g.Output.String()} {
		if strings.Contains(text, hookgatetest.JWTSecret) || strings.Contains(text, "root:") {
			t.Errorf("a placeholder was expanded in %s", what)
		}
	}
}

// TestLogLinesCannotBeForged: whatever a client sends, every line of the log is one
// JSON object that we wrote.
func TestLogLinesCannotBeForged(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	forged := `"},"level":"error","forged":"yes","x":{"`
	for _, evil := range []string{forged, "\x1b[31mforged\x1b[0m", "\u2028forged", "\x00forged", "\\u000aforged", "\xffforged", "%0d%0aforged"} {
		for _, lines := range [][]string{
			{"POST " + callbackPath + "?" + evil + " HTTP/1.1", "X-Callback-Token: " + c.token, "User-Agent: " + evil, "Cookie: " + evil},
			{"POST " + webhooksPath + "pluggy/" + evil + " HTTP/1.1"},
			{"POST " + callbackPath + " HTTP/1.1", "X-Callback-Token: " + evil},
			{"POST " + callbackPath + " HTTP/1.1", evil + ": x"},
			{evil + " / HTTP/1.1"},
			{"POST / " + evil},
			{"POST / HTTP/1.1", "Transfer-Encoding: " + evil},
		} {
			conn := g.dial(t)
			conn.write(append(lines, "Host: "+evil, "Connection: close")...)
			io.Copy(io.Discard, conn)
			conn = g.dial(t)
			conn.write(append(lines, "Host: hooks.example.com", "Connection: close")...)
			io.Copy(io.Discard, conn)
		}
	}
	g.stop()
	for line := range strings.Lines(g.Output.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry["level"] == nil || entry["ts"] == nil || entry["forged"] != nil {
			t.Errorf("%v: %q", err, line)
		}
		if strings.Contains(line, "forged") || strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x00\x1b\r\u2028") {
			t.Errorf("%q", line)
		}
	}
}
