package guard

import (
	"strings"
	"testing"
)

func TestClientIdempotencyKey(t *testing.T) {
	long := strings.Repeat("a", 128)
	for _, tc := range []struct {
		name   string
		header map[string][]string
		key    string
		ok     bool
	}{
		{"none", nil, "", false},
		{"Matcher's", map[string][]string{"X-Idempotency-Key": {"a:B_1-"}}, "", true},
		{"Matcher's, which it refuses", map[string][]string{"X-Idempotency-Key": {"a b"}}, "", true},
		{"Matcher's, empty", map[string][]string{"X-Idempotency-Key": {""}}, "", false},
		{"Matcher's, empty and not", map[string][]string{"X-Idempotency-Key": {"", "a"}}, "", true},
		{"both", map[string][]string{"X-Idempotency-Key": {"a"}, "Idempotency-Key": {"b"}}, "", true},
		{"plain", map[string][]string{"Idempotency-Key": {"a:B_1-"}}, "a:B_1-", true},
		{"plain, behind an empty one", map[string][]string{"X-Idempotency-Key": {""}, "Idempotency-Key": {"b"}}, "b", true},
		{"plain, longest", map[string][]string{"Idempotency-Key": {long}}, long, true},
		{"plain, too long", map[string][]string{"Idempotency-Key": {long + "a"}}, "", false},
		{"plain, quoted", map[string][]string{"Idempotency-Key": {`"a"`}}, "", false},
		{"plain, empty", map[string][]string{"Idempotency-Key": {""}}, "", false},
		{"for this hop", map[string][]string{"X-Idempotency-Key": {"a"}, "Connection": {"close, x-idempotency-key"}}, "", false},
		{"plain, for this hop", map[string][]string{"Idempotency-Key": {"a"}, "Connection": {"idempotency-key"}}, "", false},
		{"plain, twice", map[string][]string{"Idempotency-Key": {"a", "a"}}, "", false},
	} {
		if key, ok := clientIdempotencyKey(tc.header); key != tc.key || ok != tc.ok {
			t.Errorf("%s: %q, %v", tc.name, key, ok)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	type request struct {
		d      Decision
		header map[string][]string
		body   string
	}
	base := request{d: Decision{Credential: callbackID, query: "?a=b", found: match{exception: "7d4f"}}, body: `{"status":"RESOLVED"}`}
	key := func(change func(*request)) string {
		r := base
		change(&r)
		return idempotencyKey(&r.d, r.header, []byte(r.body))
	}
	first := key(func(*request) {})
	if !validIdempotencyKey(first) {
		t.Errorf("Matcher does not accept %q", first)
	}
	if key(func(r *request) { r.header = map[string][]string{"User-Agent": {"x"}, "X-Request-Id": {"y"}} }) != first {
		t.Error("a retry has another key")
	}
	seen := map[string]string{first: "the first"}
	for name, change := range map[string]func(*request){
		"another credential": func(r *request) { r.d.Credential = webhookID },
		"another exception":  func(r *request) { r.d.found.exception = "7d4e" },
		"another query":      func(r *request) { r.d.query = "?a=c" },
		"no query":           func(r *request) { r.d.query = "" },
		"another body":       func(r *request) { r.body += " " },
		"no body":            func(r *request) { r.body = "" },
		"shifted":            func(r *request) { r.d.found.exception, r.d.query = "7d4", "f?a=b" },
		"the vendor's key":   func(r *request) { r.header = map[string][]string{"Idempotency-Key": {`"1"`}} },
		"another of its":     func(r *request) { r.header = map[string][]string{"Idempotency-Key": {`"2"`}} },
	} {
		got := key(change)
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[got] = name
	}
}

func FuzzIdempotencyKey(f *testing.F) {
	f.Add("7d4f", "?a", "{}", "7d4", "f?a", "{}")
	f.Fuzz(func(t *testing.T, object1, query1, body1, object2, query2, body2 string) {
		key := func(object, query, body string) string {
			return idempotencyKey(&Decision{Credential: callbackID, query: query, found: match{exception: object}}, nil, []byte(body))
		}
		same := object1 == object2 && query1 == query2 && body1 == body2
		if (key(object1, query1, body1) == key(object2, query2, body2)) != same {
			t.Errorf("%q %q %q and %q %q %q", object1, query1, body1, object2, query2, body2)
		}
	})
}
