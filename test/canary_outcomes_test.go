package test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// shot is a request that ends in one way, and carries secrets wherever one can be.
type shot struct {
	name   string
	target string // with %s where a secret goes
	method string // POST unless given
	lines  []string
	body   string
	abort  string // cut off the connection: "body" behind the head, "answer" while waiting
	status int    // 0: none is read
}

// decorate returns the head of the request with a secret of its own in every place
// that decides nothing.
func (s shot) decorate(add func(place string) string) []string {
	method, target := s.method, s.target
	if method == "" {
		method = "POST"
	}
	if strings.Contains(target, "%s") {
		target = fmt.Sprintf(target, add("path"))
	}
	basic := base64.StdEncoding.EncodeToString([]byte("user:" + add("Basic")))
	lines := []string{
		method + " " + target + "?token=" + add("query") + "&again=" + percentEncoded(add("escaped query")) + " HTTP/1.1",
		"Host: " + add("Host") + ".example.com", "Referer: https://example.com/" + add("Referer"), "Cookie: session=" + add("Cookie"),
		"User-Agent: " + add("User-Agent"), "Authorization: Basic " + basic, "Proxy-Authorization: Bearer " + add("Proxy-Authorization"),
		"X-Callback-Tokens: " + add("wrong header"), add("header name") + ": x", "X-Request-Id: " + add("X-Request-Id"), "Origin: " + add("Origin"),
		"Accept: " + add("Accept"), "X-Tenant-Id: " + add("X-Tenant-Id"), "X-Forwarded-Host: " + add("X-Forwarded-Host"),
		"X-Http-Method-Override: " + add("X-Http-Method-Override"), "Traceparent: " + add("Traceparent"),
	}
	if method != "GET" && method != "HEAD" { // with one it is no probe, but a POST that was redirected
		lines = append(lines, "Content-Length: "+decimalLength(s.body))
	}
	for _, line := range s.lines {
		if strings.HasSuffix(line, "%s") {
			line = fmt.Sprintf(line, add(line))
		}
		lines = append(lines, line)
	}
	return lines
}

// fire sends the shot and returns the answer's head and body, with the rest of the
// connection where it ends.
func (s shot) fire(t *testing.T, g *gate, head []string) string {
	t.Helper()
	conn := g.dial(t)
	body := s.body
	if s.abort == "body" {
		body = body[:len(body)/2]
	}
	if _, err := io.WriteString(conn, strings.Join(head, "\r\n")+"\r\n\r\n"+body); err != nil && s.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Fatal(err)
	}
	if s.status == 0 {
		if s.abort == "body" {
			conn.Close()
		}
		text, _ := io.ReadAll(conn) // until the upstream's answer breaks off
		return string(text)
	}
	a := conn.answer(s.method)
	wantStatus(t, a, s.status)
	var text strings.Builder
	a.header.Write(&text)
	conn.Close()
	return text.String() + string(a.body)
}

// misbehave answers as a header tells it to.
func misbehave(w http.ResponseWriter, r *http.Request) {
	switch r.Header.Get("X-Do") {
	case "panic":
		panic(http.ErrAbortHandler) // resets the connection
	case "break off":
		w.Header().Set("Content-Length", "1000")
		w.Write([]byte("part"))
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case "garbage":
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Write([]byte("garbage " + r.Header.Get("User-Agent") + "\r\n\r\n"))
			conn.Close()
		}
	case "hang":
		<-r.Context().Done()
	}
}

// monitor records every command that a Redis is given.
func monitor(t *testing.T, server *redistest.Server) func() string {
	t.Helper()
	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "MONITOR\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	if line, err := r.ReadString('\n'); err != nil || line != "+OK\r\n" {
		t.Fatalf("MONITOR: %q, %v", line, err)
	}
	var text strings.Builder
	var done sync.WaitGroup
	done.Go(func() { io.Copy(&text, r) })
	return func() string {
		conn.SetReadDeadline(time.Now())
		done.Wait()
		return text.String()
	}
}

// TestNoSecretTurnsUpWhateverHappens drives every way that a request can end in,
// with every log at its most talkative, a secret in every place that a client
// controls, in our form and in one that looks like any other word.
func TestNoSecretTurnsUpWhateverHappens(t *testing.T) {
	t.Parallel()
	s := onRedis(t)
	u := newUpstream(t)
	u.answerWith(misbehave)
	adminPort := hookgatetest.FreePort(t)
	g := start(t, config{
		store: s, upstream: u.addr,
		global: []string{fmt.Sprintf("admin 127.0.0.1:%d", adminPort)}, servers: through,
		app: []string{"usage_flush 100ms", "max_staleness 2s"},
		guard: []string{
			"max_body 1KB", "failure_limit 50 1h",
			"vendor belvo {\n\t\t\tallow_ips 198.51.100.1\n\t\t\tsignature X-Signature {env.HOOKGATE_TEST_SECRET}\n\t\t}",
		},
		patience: "500ms",
	})
	commands := monitor(t, s.redis)
	secrets := canaries{}
	secrets.add("secret of the JWTs and of signatures", hookgatetest.JWTSecret)
	admin := g.operator(t, tenantA, "admin")
	secrets.add("operator's JWT", admin.jwt)
	c, w, belvo, revoked := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy"), admin.mintWebhook("belvo"), admin.mintCallback("")
	admin.revoke(revoked)
	for _, c := range []credential{c, w, belvo, revoked} {
		secrets.add("token of "+c.id, c.token)
	}
	token := "X-Callback-Token: " + c.token
	from := "X-Forwarded-For: 198.51.100.1"
	do := func(what string) []string { return []string{token, "X-Do: " + what} }
	const unknown = "X-Callback-Token: %s"
	hooks := webhooksPath + "pluggy/"
	shots := []shot{
		{name: "200", target: callbackPath, lines: []string{token}, body: "{}", status: 200},
		{name: "200 webhook", target: w.path(), body: "{}", status: 200},
		{name: "204", method: "GET", target: w.path(), status: 204},
		{name: "400 path", target: "//%s", status: 400},
		{name: "400 escaped path", target: hooks + percentEncoded(plausible("mwh_", 77)) + "%s", status: 400},
		{name: "400 repeated", target: callbackPath, lines: []string{unknown, "X-Callback-Token: 2%s"}, status: 400},
		{name: "401 upgrade", target: callbackPath, lines: []string{unknown, "Connection: upgrade", "Upgrade: %s"}, status: 401},
		{name: "401 header", target: callbackPath, lines: []string{unknown}, body: "{}", status: 401},
		{name: "401 path", target: hooks + "%s", body: "{}", status: 401},
		{name: "401 HEAD", method: "HEAD", target: hooks + "%s", status: 401},
		{name: "401 revoked", target: callbackPath, lines: []string{"X-Callback-Token: " + revoked.token}, status: 401},
		{name: "401 malformed", target: callbackPath, lines: []string{"X-Callback-Token: mcb_%s"}, status: 401},
		{name: "403 address", target: belvo.path(), lines: []string{"X-Signature: %s"}, body: "{}", status: 403},
		{name: "403 signature", target: belvo.path(), lines: []string{from, "X-Signature: %s"}, body: "{}", status: 403},
		{name: "404", target: "/nowhere/%s", lines: []string{unknown}, status: 404},
		{name: "405", method: "PUT", target: hooks + "%s", status: 405},
		{name: "405 a word", method: "BREW", target: callbackPath, lines: []string{unknown}, status: 405},
		{name: "413", target: callbackPath, lines: []string{unknown}, body: strings.Repeat("x", 1001), status: 413},
		{name: "431", target: callbackPath, lines: []string{unknown, "X-Large: " + strings.Repeat("x", 40<<10) + "%s"}, status: 431},
		{name: "502 reset", target: callbackPath, lines: do("panic"), status: 502},
		{name: "502 garbage", target: callbackPath, lines: do("garbage"), status: 502},
		{name: "504", target: callbackPath, lines: do("hang"), status: 504},
		{name: "reset in the answer", target: callbackPath, lines: do("break off")},
		{name: "aborted body", target: callbackPath, lines: []string{token}, body: strings.Repeat("x", 500), abort: "body"},
		{name: "aborted body, refused", target: callbackPath, lines: []string{unknown}, body: strings.Repeat("x", 500), abort: "body"},
		{name: "aborted body, signed", target: belvo.path(), lines: []string{from, signed(hookgatetest.JWTSecret, "x")}, body: strings.Repeat("x", 500), abort: "body"},
	}
	n := 0
	var answers strings.Builder
	fire := func(s shot) {
		t.Helper()
		for _, form := range []string{"ours", "foreign"} {
			head := s.decorate(func(place string) string {
				n++
				secret := fmt.Sprintf("foreign.canary%d-of~another.mint", n)
				if form == "ours" {
					secret = plausible("mcb_", 1000+n)
				}
				return secrets.add(s.name+", "+place, secret)
			})
			answers.WriteString(s.fire(t, g, head))
		}
	}
	for _, s := range shots {
		t.Run(s.name, func(t *testing.T) { fire(s) })
	}
	t.Run("method, protocol and lines of garbage", func(t *testing.T) {
		for i, format := range []string{"%s / HTTP/1.1", "GET / %s", "%s", "GET %s HTTP/1.1", "GET / HTTP/1.1\r\n%s", "GET / HTTP/1.1\r\n bad: %s"} {
			secret := secrets.add(format, fmt.Sprintf("foreign.canary-of-garbage%d", i))
			conn := g.dial(t)
			conn.write(fmt.Sprintf(format, secret), "Host: x", "Connection: close")
			text, _ := io.ReadAll(conn)
			answers.Write(text)
		}
	})
	t.Run("a client that is gone", func(t *testing.T) {
		gone := shot{name: "gone", target: callbackPath, lines: do("hang")}
		before := strings.Count(g.Output.String(), `"status":504`)
		head := gone.decorate(func(place string) string {
			n++
			return secrets.add("gone, "+place, fmt.Sprintf("foreign.canary%d~gone", n))
		})
		conn := g.dial(t)
		conn.write(head...)
		hookgatetest.Eventually(t, "the upstream has the request", func() bool { return strings.Contains(fmt.Sprint(u.peek()), "~gone") })
		conn.Close()
		hookgatetest.Eventually(t, "the log says what the upstream did not", func() bool { return strings.Count(g.Output.String(), `"status":504`) > before })
	})
	t.Run("429", func(t *testing.T) {
		throttled := shot{name: "429", target: callbackPath, lines: []string{unknown, "X-Forwarded-For: 203.0.113.5"}, status: 401}
		for range 25 {
			fire(throttled)
		}
		throttled.status = http.StatusTooManyRequests
		fire(throttled)
	})
	shown := g.get(t, fmt.Sprintf("http://127.0.0.1:%d/config/", adminPort))
	wantStatus(t, shown, http.StatusOK)
	metrics := g.Metrics(t) + string(g.get(t, fmt.Sprintf("http://127.0.0.1:%d/metrics", adminPort)).body)
	upstreamSaw := fmt.Sprint(u.take())
	dump := s.dump(t)
	heard := commands()
	s.redis.Kill()
	g.AwaitReady(http.StatusServiceUnavailable)
	t.Run("503", func(t *testing.T) {
		fire(shot{name: "503", target: callbackPath, lines: []string{unknown}, status: 503})
		fire(shot{name: "503 known", target: w.path(), status: 503})
	})
	g.stop()

	secrets.search(t, "the output", g.Output.String())
	secrets.search(t, "the metrics", metrics)
	secrets.search(t, "the configuration", string(shown.body))
	secrets.search(t, "the answers", answers.String())
	secrets.search(t, "Redis", dump)
	secrets.search(t, "the commands to Redis", heard)
	// What a client puts elsewhere passes as it was sent. What authenticates does not.
	atUpstream := canaries{}
	for secret, where := range secrets {
		if strings.Contains(where, "token of") || strings.Contains(where, "Authorization") || strings.Contains(where, "Basic") || strings.Contains(where, "JWT") ||
			strings.Contains(where, "X-Tenant-Id") || strings.Contains(where, "X-Http-Method-Override") {
			atUpstream[secret] = where
		}
	}
	atUpstream.search(t, "what reached the upstream", upstreamSaw)
	for what, text := range map[string]string{"the commands": heard, "the upstream's": upstreamSaw, "the configuration": string(shown.body)} {
		if len(text) < 500 {
			t.Errorf("there is hardly anything in %s: %q", what, text)
		}
	}
}
