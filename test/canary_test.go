package test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// canaries are secrets that must not turn up anywhere, and where each was sent.
type canaries map[string]string

// add notes a secret and returns it.
func (c canaries) add(where, secret string) string {
	c[secret] = where
	return secret
}

// search checks that no secret is in text, in any form that it may take there.
func (c canaries) search(t testing.TB, what, text string) {
	t.Helper()
	for secret, where := range c {
		for _, form := range forms(secret) {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("sent as %s, found in %s: ...%s...", where, what, text[max(0, at-300):min(len(text), at+len(form)+50)])
			}
		}
	}
}

// forms returns what a secret may be spelled as, base64 at each of its alignments.
func forms(secret string) []string {
	all := []string{
		secret, strings.ReplaceAll(secret, "_", "%5F"), strings.ReplaceAll(secret, "_", "%5f"), percentEncoded(secret), strings.ToLower(percentEncoded(secret)),
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for before := range 3 {
		padded := append(make([]byte, before), secret...)
		padded = padded[:len(padded)/3*3] // whole groups depend on the secret alone,
		from := (before + 2) / 3 * 4      // but for the one that begins before it
		all = append(all, base64.StdEncoding.EncodeToString(padded)[from:], base64.URLEncoding.EncodeToString(padded)[from:])
	}
	return all
}

// percentEncoded escapes every byte.
func percentEncoded(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}

// TestNoSecretTurnsUp drives what can be done with a token, right and wrong, with
// every log at its most talkative.
func TestNoSecretTurnsUp(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		u.answerWith(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Echo", r.URL.Query().Get("echo"))
		})
		g := start(t, config{store: s, upstream: u.addr, app: []string{"usage_flush 100ms"}, guard: []string{"max_body 1KB"}})
		secrets := canaries{}
		secrets.add("secret of the JWTs", hookgatetest.JWTSecret)
		admin := g.operator(t, tenantA, "admin")
		secrets.add("operator's JWT", admin.jwt)
		c, w := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")
		revoked := admin.mintCallback("")
		rotated := admin.mintCallback("")
		for where, c := range map[string]credential{
			"callback token": c, "webhook token": w, "revoked token": revoked, "rotated token": rotated, "token of a rotation": admin.rotate(rotated),
		} {
			secrets.add(where, c.token)
		}
		wantStatus(t, g.use(t, c), http.StatusOK)
		wantStatus(t, g.use(t, w), http.StatusOK)
		wantStatus(t, g.get(t, g.Vendors+w.path()), http.StatusNoContent)
		admin.revoke(revoked)
		g.use(t, revoked)
		g.use(t, rotated)

		n := 0
		// Each is sent in our form, which the log could recognise, and in a foreign
		// one, which it cannot.
		send := func(where string, request func(secret string) []string) {
			for _, form := range []string{plausible("mcb_", n), plausible("mwh_", n), fmt.Sprintf("canary-%d-of-another-mint", n)} {
				n++
				conn := g.dial(t)
				conn.write(append(request(secrets.add(where, form)), "Host: hooks.example.com", "Connection: close")...)
				if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%s: no end of the answer", where)
				}
			}
		}
		header := func(name string) {
			send("header "+name, func(secret string) []string {
				return []string{"POST " + callbackPath + " HTTP/1.1", name + ": " + secret}
			})
			send("header of an accepted request "+name, func(secret string) []string {
				return append(requestOf(c), name+": "+secret)
			})
		}
		target := func(method, before, after string) {
			send(method+" "+before+"..."+after, func(secret string) []string { return []string{method + " " + before + secret + after + " HTTP/1.1"} })
		}
		for _, name := range []string{
			"X-Callback-Token", "X_Callback_Token", "X-Callback-Tokens", "Authorization", "Proxy-Authorization", "X-Api-Key", "Referer",
			"User-Agent", "Cookie", "Origin", "X-Forwarded-For", "Forwarded", "Content-Type", "Accept", "TE", "Trailer", "Upgrade",
			"X-Tenant-Id", "X-Hookgate-Kind", "Traceparent", "Range", "Expect", "Via",
		} {
			header(name)
		}
		send("request id and token", func(secret string) []string {
			return []string{"POST " + callbackPath + " HTTP/1.1", "X-Request-Id: " + secret, "X-Callback-Token: " + secret}
		})
		send("request id and path", func(secret string) []string {
			return []string{"POST " + webhooksPath + "pluggy/" + secret + " HTTP/1.1", "X-Request-Id: " + secret}
		})
		for _, method := range []string{"POST", "GET", "HEAD", "PUT", "BREW"} {
			target(method, webhooksPath+"pluggy/", "")
			target(method, webhooksPath+"pluggy/", "/")
			target(method, webhooksPath, "/x")
			target(method, webhooksPath+"tokens/", "")
			target(method, "/v1/exceptions/", "/callback")
			target(method, "/nowhere/", "")
			target(method, "//", "")
			target(method, "/%2e/", "?x=%zz")
			target(method, callbackPath+"?token=", "")
			target(method, "http://hooks.example.com/", "")
			target(method, "http://user:", "@hooks.example.com/")
		}
		target("POST", "/%", "")    // net/http's own 400
		target("POST", "", "")      // no path at all
		target("CONNECT", "", ":1") // an authority
		send("method", func(secret string) []string { return []string{secret + " " + callbackPath + " HTTP/1.1"} })
		send("protocol", func(secret string) []string { return []string{"POST / " + secret} })
		send("header name", func(secret string) []string { return []string{"POST / HTTP/1.1", secret + ": x"} })
		send("host", func(secret string) []string { return []string{"POST http://" + secret + "/ HTTP/1.1"} })
		send("transfer encoding", func(secret string) []string {
			return []string{"POST " + callbackPath + " HTTP/1.1", "Transfer-Encoding: " + secret}
		})
		send("content length", func(secret string) []string {
			return []string{"POST " + callbackPath + " HTTP/1.1", "Content-Length: " + secret}
		})
		send("query of an accepted request", func(secret string) []string {
			return []string{"POST " + callbackPath + "?echo=" + secret + " HTTP/1.1", "X-Callback-Token: " + c.token}
		})
		for _, form := range []string{plausible("mcb_", n), "canary-for-the-admin"} {
			secrets.add("admin API", form)
			admin.do(http.MethodDelete, callbackCredentials+"/"+form, "")
			admin.do(http.MethodPost, webhookTokens+"/"+form+"/rotate", "")
			admin.do(http.MethodPost, callbackCredentials+"?token="+form, `{"token":"`+form+`"}`)
			admin.do(http.MethodPost, callbackCredentials, `{"`+form+`":1}`)
			admin.do(http.MethodPost, webhookTokens, `{"vendor":"`+form+`","connection_config_name":"`+form+`"}`)
			g.get(t, g.Admin+callbackCredentials, "Authorization: Bearer "+form)
			g.get(t, g.Admin+"/"+form, "X-Callback-Token: "+form)
			g.get(t, g.Status+"/"+form)
			g.get(t, g.Status+"/metrics?name="+form, "Referer: "+form)
		}
		// The upstream is gone: 502, logged as an error by Caddy.
		g.config.upstream = "127.0.0.1:9"
		g.write(g.config.text(t, g.ports))
		g.Reload(reloaded)
		wantStatus(t, g.use(t, c), http.StatusBadGateway)
		wantStatus(t, g.use(t, w), http.StatusBadGateway)
		header("Referer")
		target("POST", callbackPath+"?token=", "")
		wantStatus(t, g.post(t, g.Vendors+callbackPath+"?echo="+secrets.add("query at 502", "canary-for-nobody"), "", "X-Callback-Token: "+c.token), http.StatusBadGateway)
		metrics := g.Metrics(t)
		g.stop()

		secrets.search(t, "the output", g.Output.String())
		secrets.search(t, "the metrics", metrics)
		secrets.search(t, "the store", s.dump(t))
		if lines := strings.Count(g.Output.String(), "\n"); lines < 500 {
			t.Errorf("only %d lines of output", lines)
		}
	})
}

// dump returns everything that is stored.
func (s store) dump(t testing.TB) string {
	t.Helper()
	var text strings.Builder
	if s.redis == nil {
		for _, path := range tree(t, s.dir) {
			if content, err := os.ReadFile(path); err == nil { // not a directory
				text.Write(content)
			}
		}
	} else {
		dumpRedis(t, s.redis.Client(), &text)
	}
	if !strings.Contains(text.String(), "JIRA") {
		t.Error("the dump of the store does not even hold a label")
	}
	return text.String()
}

func dumpRedis(t testing.TB, rdb *redis.Client, text *strings.Builder) {
	t.Helper()
	ctx := t.Context()
	keys, err := rdb.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		var content any
		switch kind := rdb.Type(ctx, key).Val(); kind {
		case "hash":
			content = rdb.HGetAll(ctx, key).Val()
		case "set":
			content = rdb.SMembers(ctx, key).Val()
		case "zset":
			content = rdb.ZRange(ctx, key, 0, -1).Val()
		case "string":
			content = rdb.Get(ctx, key).Val()
		case "stream":
			content = rdb.XRange(ctx, key, "-", "+").Val()
		default:
			t.Errorf("%s is a %s", key, kind)
		}
		fmt.Fprintf(text, "%s %s\n", key, content)
	}
}

// TestRefusalIsLoggedOnce: support finds the one line about a refusal by the request
// id that the vendor was given.
func TestRefusalIsLoggedOnce(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t), guard: []string{"max_body 1KB"}})
	admin := g.operator(t, tenantA, "admin")
	c, w, revoked := admin.mintCallback(""), admin.mintWebhook("pluggy"), admin.mintCallback("")
	admin.revoke(revoked)
	with := func(token string) []string { return []string{"X-Callback-Token: " + token} }
	tests := []struct {
		outcome    string
		credential string // the id in the log, where it is known
		path       string
		body       string
		headers    []string
	}{
		{outcome: "ambiguous", path: "//"},
		{outcome: "route", path: "/nowhere"},
		{outcome: "too_large", path: callbackPath, body: strings.Repeat("x", 1001)},
		{outcome: "missing", path: callbackPath},
		{outcome: "malformed", path: callbackPath, headers: with(c.token + "x")},
		{outcome: "unknown", path: callbackPath, headers: with(plausible("mcb_", 1))},
		{outcome: "kind", credential: w.id, path: callbackPath, headers: with(w.token)},
		{outcome: "vendor", credential: w.id, path: webhooksPath + "belvo/" + w.token},
		{outcome: "revoked", credential: revoked.id, path: callbackPath, headers: with(revoked.token)},
		{outcome: "allowed", credential: c.id, path: callbackPath, headers: with(c.token)}, // and then a 502
	}
	answers := make(map[string]answer)
	for _, test := range tests {
		answers[test.outcome] = g.post(t, g.Vendors+test.path, test.body, test.headers...)
	}
	g.stop() // and so all of its output is here
	for _, test := range tests {
		t.Run(test.outcome, func(t *testing.T) {
			a := answers[test.outcome]
			id := a.header.Get("X-Request-Id")
			var found []string
			for line := range strings.Lines(g.Output.String()) {
				// What Caddy's reverse_proxy says at level debug has the id, too.
				if strings.Contains(line, id) && !strings.Contains(line, accessLog) && !strings.Contains(line, `"level":"debug"`) {
					found = append(found, line)
				}
			}
			if id == "" || len(found) != 1 {
				t.Fatalf("request %q is in %d lines: %q", id, len(found), found)
			}
			var entry struct {
				Outcome, Credential string
				Status              int
			}
			if err := json.Unmarshal([]byte(found[0]), &entry); err != nil {
				t.Fatal(err)
			}
			if entry.Outcome != test.outcome || entry.Status != a.status || entry.Credential != test.credential {
				t.Errorf("%s", found[0])
			}
		})
	}
}
