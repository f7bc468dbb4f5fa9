package test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// matchersKey is what Matcher takes for an idempotency key.
var matchersKey = regexp.MustCompile(`^[A-Za-z0-9:_-]{1,128}$`)

// TestIdempotencyKey: it is of what is sent, however that is framed, or the vendor's. The
// package guard tests what it depends on.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{"idempotency_key body", "max_body 1KB"}})
	admin := g.operator(t, tenantA, "admin")
	c, w := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")
	again := admin.mintCallback("JIRA")

	// key sends a body, as its length is or in chunks, and returns the key it arrives with.
	key := func(t *testing.T, c credential, target, body string, chunked bool, headers ...string) string {
		t.Helper()
		var reader io.Reader = strings.NewReader(body)
		if chunked {
			reader = io.MultiReader(reader)
		}
		if c.vendor == "" {
			headers = append(headers, "X-Callback-Token: "+c.token)
		}
		wantStatus(t, g.sendTarget(t, target, reader, headers...), http.StatusOK)
		got := u.one(t)
		if got.body != body || got.broken {
			t.Errorf("at the upstream: %q, want %q", got.body, body)
		}
		values := got.header["X-Idempotency-Key"]
		if len(values) != 1 {
			t.Fatalf("X-Idempotency-Key: %q", values)
		}
		return values[0]
	}
	const body = "{\"status\":\"RESOLVED\"}\r\n\x00\xff"
	first := key(t, c, callbackPath, body, false)
	if !matchersKey.MatchString(first) {
		t.Errorf("Matcher does not take %q", first)
	}
	if key(t, c, callbackPath, body, false) != first || key(t, c, callbackPath, body, true) != first {
		t.Error("a retry has another key")
	}
	if key(t, c, callbackPath, body+" ", false) == first || key(t, w, w.path(), body, false) == first || key(t, again, callbackPath, body, true) == first {
		t.Error("something else has the key of the first")
	}
	for _, test := range []struct{ header, want string }{
		{"X-Idempotency-Key: a key of the vendor's", "a key of the vendor's"},
		{"Idempotency-Key: vendor-2", "vendor-2"},
		{"X-Idempotency-Key: ", first},
	} {
		if got := key(t, c, callbackPath, body, false, test.header); got != test.want {
			t.Errorf("%s: %q, want %q", test.header, got, test.want)
		}
	}

	long := strings.Repeat("x", 1001)
	for _, reader := range []io.Reader{strings.NewReader(long), io.MultiReader(strings.NewReader(long))} {
		before := admin.find(c).LastUsedAt
		a := g.sendTarget(t, callbackPath, reader, "X-Callback-Token: "+again.token)
		wantProblem(t, a, http.StatusRequestEntityTooLarge, "HKG-1413")
		if after := admin.find(c).LastUsedAt; after != before {
			t.Error("a body that is too large counts as a use")
		}
	}
	conn := g.dial(t)
	conn.write("POST "+callbackPath+" HTTP/1.1", "Host: x", "X-Callback-Token: "+c.token, "Transfer-Encoding: chunked")
	conn.write("2", "{}", "no number")
	wantProblem(t, conn.answer(http.MethodPost), http.StatusBadRequest, "HKG-1400")
	u.wantNothing(t)
}
