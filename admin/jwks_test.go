package admin_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookgate/hookgate/admin"
)

func kid(id string) map[string]any { return map[string]any{"kid": id} }

func TestKeySet(t *testing.T) {
	for _, k := range publicKeys {
		t.Run(k.name, func(t *testing.T) {
			idp := newIssuer(t)
			idp.publish(jwk(otherRSA, "other", nil), jwk(k.key, "k", map[string]any{"alg": nil}))
			s := newServer(t, idp.option(k.algorithms...))
			for _, algorithm := range k.algorithms {
				s.must(200, keyed(t, algorithm, k.key(), kid("k"), nil), "GET", callbacksPath, "")
			}
			if n := idp.requests(); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestKeySetDefaultsToRS256(t *testing.T) {
	idp := newIssuer(t)
	idp.publish(jwk(rsa2048, "r", nil), jwk(p256, "e", nil))
	s := newServer(t, idp.option())
	s.must(200, keyed(t, "RS256", rsa2048(), kid("r"), nil), "GET", callbacksPath, "")
	for _, token := range []string{keyed(t, "RS512", rsa2048(), kid("r"), nil), keyed(t, "ES256", p256(), kid("e"), nil)} {
		checkProblem(t, s.as(token, "GET", callbacksPath, ""), 401, "HKG-2401")
	}
}

// TestKeysThatAreNotUsed: a key verifies what it is published for and nothing else.
func TestKeysThatAreNotUsed(t *testing.T) {
	type change = map[string]any
	idp := newIssuer(t)
	idp.publish(
		jwk(rsa2048, "no use", change{"use": nil}),
		jwk(rsa2048, "verify", change{"use": nil, "key_ops": []string{"verify"}}),
		jwk(ed, "no alg", change{"alg": nil}),

		jwk(rsa2048, "enc", change{"use": "enc"}),
		jwk(rsa2048, "other use", change{"use": "tls"}),
		jwk(rsa2048, "wrap", change{"use": nil, "key_ops": []string{"wrapKey"}}),
		jwk(rsa2048, "another alg", change{"alg": "RS512"}),
		jwk(rsa2048, "enc alg", change{"alg": "RSA-OAEP"}),
		jwk(rsa2048, "unknown alg", change{"alg": "XS256"}),
		jwk(rsa2048, "modulus missing", change{"n": nil}),
		jwk(rsa2048, "modulus broken", change{"n": "!!!"}),
		jwk(rsa2048, "unknown type", change{"kty": "XYZ"}),
		jwk(rsa1024, "short", nil),
		jwk(p384, "another curve", nil),
		map[string]any{"kty": "oct", "kid": "oct", "use": "sig", "alg": "HS256", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"},
		jwk(rsa2048, "", nil),
	)
	s := newServer(t, idp.option("RS256", "PS256", "ES256", "EdDSA"))
	for _, id := range []string{"no use", "verify"} {
		s.must(200, keyed(t, "RS256", rsa2048(), kid(id), nil), "GET", callbacksPath, "")
	}
	s.must(200, keyed(t, "EdDSA", ed(), kid("no alg"), nil), "GET", callbacksPath, "")
	for _, id := range []string{
		"enc", "other use", "wrap", "another alg", "enc alg", "unknown alg", "modulus missing", "modulus broken", "unknown type", "oct", "short",
	} {
		t.Run(id, func(t *testing.T) {
			checkProblem(t, s.within(t).as(keyed(t, "RS256", rsa2048(), kid(id), nil), "GET", callbacksPath, ""), 401, "HKG-2401")
		})
	}
	for name, token := range map[string]string{
		"short key":       keyed(t, "RS256", rsa1024(), kid("short"), nil),
		"the set's curve": keyed(t, "ES384", p384(), kid("another curve"), nil),
		"no kid":          keyed(t, "RS256", rsa2048(), nil, nil),
		"kid a number":    keyed(t, "RS256", rsa2048(), map[string]any{"kid": 1}, nil),
		"kid null":        keyed(t, "RS256", rsa2048(), map[string]any{"kid": nil}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			checkProblem(t, s.within(t).as(token, "GET", callbacksPath, ""), 401, "HKG-2401")
		})
	}
}

func TestOneAlgorithmForAKeyThatNamesIt(t *testing.T) {
	idp := newIssuer(t)
	idp.publish(jwk(rsa2048, "k", map[string]any{"alg": "RS256"}))
	s := newServer(t, idp.option("RS256", "PS256"))
	s.must(200, keyed(t, "RS256", rsa2048(), kid("k"), nil), "GET", callbacksPath, "")
	checkProblem(t, s.as(keyed(t, "PS256", rsa2048(), kid("k"), nil), "GET", callbacksPath, ""), 401, "HKG-2401")
}

func TestKeyRotation(t *testing.T) {
	idp := newIssuer(t)
	idp.publish(jwk(rsa2048, "k1", nil))
	s := newServer(t, idp.option())
	before, after := keyed(t, "RS256", rsa2048(), kid("k1"), nil), keyed(t, "RS256", otherRSA(), kid("k2"), nil)
	s.must(200, before, "GET", callbacksPath, "")
	idp.publish(jwk(otherRSA, "k2", nil))
	idp.later(10 * time.Second)
	s.must(200, before, "GET", callbacksPath, "") // nothing has told of the new key yet
	s.must(200, after, "GET", callbacksPath, "")
	checkProblem(t, s.as(before, "GET", callbacksPath, ""), 401, "HKG-2401") // and with it the old one is gone
	if n := idp.requests(); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// TestNewKeyAfterAMoment: until the keys can be read again, nobody can tell whether a
// token with an unknown key is good.
func TestNewKeyAfterAMoment(t *testing.T) {
	idp := newIssuer(t)
	idp.publish(jwk(rsa2048, "k1", nil))
	s := newServer(t, idp.option())
	s.must(200, keyed(t, "RS256", rsa2048(), kid("k1"), nil), "GET", callbacksPath, "")
	idp.publish(jwk(rsa2048, "k1", nil), jwk(otherRSA, "k2", nil))
	idp.later(4 * time.Second)
	fresh := keyed(t, "RS256", otherRSA(), kid("k2"), nil)
	for _, token := range []string{fresh, keyed(t, "RS256", otherRSA(), kid(strings.Repeat("k", 10<<10)), nil)} {
		a := s.as(token, "GET", callbacksPath, "")
		checkProblem(t, a, 503, "HKG-2020")
		if got := a.Header.Get("Retry-After"); got != "6" {
			t.Errorf("Retry-After %q", got)
		}
	}
	idp.later(6 * time.Second)
	s.must(200, fresh, "GET", callbacksPath, "")
	if n := idp.requests(); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// TestKeysOfOneID: an id alone need not tell a key (RFC 7517 section 4.5).
func TestKeysOfOneID(t *testing.T) {
	idp := newIssuer(t)
	idp.publish(
		jwk(p384, "k", map[string]any{"use": "enc"}), jwk(rsa2048, "k", map[string]any{"alg": "PS256"}), jwk(otherRSA, "k", nil),
		jwk(rsa2048, "k", map[string]any{"alg": "RS256"}), jwk(p256, "k", nil), jwk(ed, "k", nil),
	)
	s := newServer(t, idp.option("RS256", "PS256", "ES256", "EdDSA"))
	for _, token := range []string{
		keyed(t, "RS256", rsa2048(), kid("k"), nil), keyed(t, "RS256", otherRSA(), kid("k"), nil), keyed(t, "PS256", rsa2048(), kid("k"), nil),
		keyed(t, "PS256", otherRSA(), kid("k"), nil), keyed(t, "ES256", p256(), kid("k"), nil), keyed(t, "EdDSA", ed(), kid("k"), nil),
	} {
		s.must(200, token, "GET", callbacksPath, "")
	}
	another := must(rsa.GenerateKey(rand.Reader, 2048))
	checkProblem(t, s.as(keyed(t, "RS256", another, kid("k"), nil), "GET", callbacksPath, ""), 401, "HKG-2401")
}

// TestOddMembersDecideNothing: some issuers have certificates and their digests wrong.
func TestOddMembersDecideNothing(t *testing.T) {
	idp := newIssuer(t)
	members := map[string]map[string]any{
		"x5t of the hex digest":       {"x5t": "ZmVlZGZhY2VmZWVkZmFjZWZlZWRmYWNlZmVlZGZhY2VmZWVkZmFjZQ"},
		"x5t#S256 of the hex digest":  {"x5t#S256": strings.Repeat("ZmVl", 20)},
		"x5u without TLS":             {"x5u": "http://idp.example.com/cert.pem"},
		"relative x5u":                {"x5u": "/cert.pem"},
		"x5c that is no certificate":  {"x5c": []string{"bm9uZQ=="}},
		"x5c of the wrong type":       {"x5c": "none"},
		"one more operation":          {"use": nil, "key_ops": []string{"verify", "attest"}},
		"operations and a use":        {"key_ops": []string{"verify"}},
		"members that nobody defined": {"nbf": "soon", "exp": map[string]any{}},
	}
	var keys []map[string]any
	for name, change := range members {
		keys = append(keys, jwk(rsa2048, name, change))
	}
	idp.publish(append(keys, jwk(rsa2048, "not one of them", map[string]any{"use": "enc"}))...)
	s := newServer(t, idp.option())
	for name := range members {
		if a := s.as(keyed(t, "RS256", rsa2048(), kid(name), nil), "GET", callbacksPath, ""); a.StatusCode != 200 {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
	if log := s.log.String(); strings.Count(log, "a key of the JWKS is not used") != 1 || !strings.Contains(log, `kid="not one of them"`) {
		t.Errorf("logged: %s", log)
	}
}

// TestEd25519: RFC 9864 has a new name for what most call EdDSA.
func TestEd25519(t *testing.T) {
	for _, configured := range []string{"EdDSA", "Ed25519"} {
		for _, published := range []any{"EdDSA", "Ed25519", nil} {
			idp := newIssuer(t)
			idp.publish(jwk(ed, "k", map[string]any{"alg": published}))
			set, file := newServer(t, idp.option(configured)), newServer(t, withPublicKey(publicPEM(ed), configured))
			for _, named := range []string{"EdDSA", "Ed25519"} {
				token := keyed(t, named, ed(), kid("k"), nil)
				set.must(200, token, "GET", callbacksPath, "")
				file.must(200, token, "GET", callbacksPath, "")
			}
			checkProblem(t, set.as(keyed(t, "RS256", rsa2048(), kid("k"), nil), "GET", callbacksPath, ""), 401, "HKG-2401")
		}
	}
	checkProblem(t, newServer(t).as(keyed(t, "Ed25519", ed(), kid("k"), nil), "GET", callbacksPath, ""), 401, "HKG-2401")
}

// TestWithdrawnKey: a key that the issuer takes back ends without a new one.
func TestWithdrawnKey(t *testing.T) {
	idp := newIssuer(t)
	idp.publish(jwk(rsa2048, "k", nil))
	s := newServer(t, idp.option())
	token := keyed(t, "RS256", rsa2048(), kid("k"), nil)
	s.must(200, token, "GET", callbacksPath, "")
	idp.publish()
	idp.later(10 * time.Minute)
	s.must(200, token, "GET", callbacksPath, "")
	idp.later(time.Second)
	checkProblem(t, s.as(token, "GET", callbacksPath, ""), 401, "HKG-2401")
	if !strings.Contains(s.log.String(), "no key") {
		t.Errorf("not logged: %s", s.log)
	}
}

// TestUnknownKeysDoNotHammerTheIssuer: whatever is sent, it is asked every 10 s.
func TestUnknownKeysDoNotHammerTheIssuer(t *testing.T) {
	idp := newIssuer(t)
	idp.publish(jwk(rsa2048, "k", nil))
	s := newServer(t, idp.option())
	valid := keyed(t, "RS256", rsa2048(), kid("k"), nil)
	flood := func() {
		var tasks sync.WaitGroup
		for i := range 50 {
			tasks.Go(func() {
				forged := assemble(map[string]any{"alg": "RS256", "kid": fmt.Sprint(i)}, claimsWith(nil), zeros(256))
				// 401 to whoever had the keys read, 503 to those for whom that cannot be done yet.
				if a := s.as(forged, "GET", callbacksPath, ""); a.StatusCode != 401 && (a.StatusCode != 503 || a.Header.Get("Retry-After") == "") {
					t.Errorf("%d: %s", a.StatusCode, a.body)
				}
				if a := s.as(valid, "GET", callbacksPath, ""); a.StatusCode != 200 {
					t.Errorf("%d: %s", a.StatusCode, a.body)
				}
			})
		}
		tasks.Wait()
	}
	for seconds, want := range map[int]int{0: 1, 9: 1} {
		idp.later(time.Duration(seconds) * time.Second)
		flood()
		if n := idp.requests(); n != want {
			t.Errorf("%d requests, want %d", n, want)
		}
	}
	for round := range 3 {
		idp.later(10 * time.Second)
		flood()
		if n := idp.requests(); n != 2+round {
			t.Errorf("%d requests, want %d", n, 2+round)
		}
	}
}

// TestUnreachableFromTheStart: without keys nothing can be told of a token, so that
// the answer is never 401.
func TestUnreachableFromTheStart(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"502":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) },
		"204":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/jwks", http.StatusFound) },
		"HTML":      func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"no keys":   func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{}")) },
		"null":      func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("null")) },
		"not a set": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"keys":{}}`)) },
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(`{"keys":[]` + strings.Repeat(" ", 1<<20) + "}"))
		},
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			idp := newIssuer(t)
			idp.respond(answer)
			s := newServer(t, idp.option())
			token := keyed(t, "RS256", rsa2048(), kid("k"), nil)
			for range 3 {
				a := s.as(token, "GET", callbacksPath, "")
				checkProblem(t, a, 503, "HKG-2020")
				if a.Header.Get("Retry-After") != "10" || a.Header.Get("WWW-Authenticate") != "" {
					t.Errorf("headers %v", a.Header)
				}
			}
			if n := idp.requests(); n != 1 {
				t.Errorf("%d requests", n)
			}
			checkProblem(t, s.as("", "GET", callbacksPath, ""), 401, "HKG-2401")
			checkProblem(t, s.as(hs256(t, nil), "GET", callbacksPath, ""), 401, "HKG-2401") // this can be told

			idp.publish(jwk(rsa2048, "k", nil))
			idp.later(9 * time.Second)
			if a := s.as(token, "GET", callbacksPath, ""); a.StatusCode != 503 || a.Header.Get("Retry-After") != "1" {
				t.Errorf("%d, Retry-After %q", a.StatusCode, a.Header.Get("Retry-After"))
			}
			idp.later(time.Second)
			s.must(200, token, "GET", callbacksPath, "")
			if strings.Contains(s.log.String(), idp.URL) || !strings.Contains(s.log.String(), "JWKS") {
				t.Errorf("logged: %s", s.log)
			}
		})
	}
}

func TestKnownKeysOutliveTheIssuer(t *testing.T) {
	idp := newIssuer(t)
	idp.publish(jwk(rsa2048, "k", nil))
	s := newServer(t, idp.option())
	valid, unknown := keyed(t, "RS256", rsa2048(), kid("k"), nil), keyed(t, "RS256", otherRSA(), kid("new"), nil)
	s.must(200, valid, "GET", callbacksPath, "")
	idp.Close()
	for range 5 {
		idp.later(11 * time.Minute)
		s.must(200, valid, "GET", callbacksPath, "")
		// It may be signed with a key that is newer than the ones from before.
		a := s.as(unknown, "GET", callbacksPath, "")
		checkProblem(t, a, 503, "HKG-2020")
		if _, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil {
			t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
		}
	}
}

// TestSlowIssuer: everybody waits for one and the same request, and those whose key
// is known wait for none.
func TestSlowIssuer(t *testing.T) {
	idp := newIssuer(t)
	asked, release := make(chan struct{}, 10), make(chan struct{})
	idp.publish(jwk(rsa2048, "k", nil))
	publish := idp.answer
	idp.respond(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-release
		publish(w, r)
	})
	s := newServer(t, idp.option())
	valid, unknown := keyed(t, "RS256", rsa2048(), kid("k"), nil), keyed(t, "RS256", rsa2048(), kid("new"), nil)
	var tasks sync.WaitGroup
	for range 20 {
		tasks.Go(func() {
			if a := s.as(valid, "GET", callbacksPath, ""); a.StatusCode != 200 {
				t.Errorf("%d", a.StatusCode)
			}
		})
	}
	<-asked
	release <- struct{}{}
	tasks.Wait()

	idp.later(10 * time.Second)
	tasks.Go(func() {
		if a := s.as(unknown, "GET", callbacksPath, ""); a.StatusCode != 401 {
			t.Errorf("%d", a.StatusCode)
		}
	})
	<-asked
	s.must(200, valid, "GET", callbacksPath, "")
	release <- struct{}{}
	tasks.Wait()
	if n := idp.requests(); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// TestCloseEndsEverything: also a request to an issuer that never answers.
func TestCloseEndsEverything(t *testing.T) {
	st := fuzzServer(t).store // not started, so that nothing else runs
	idp := newIssuer(t)
	asked, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	idp.respond(func(http.ResponseWriter, *http.Request) { asked <- struct{}{}; <-release })
	ignore := goleak.IgnoreCurrent()

	config := admin.Config{Store: st}
	idp.option()(&config)
	api := must(admin.New(config))
	s := &server{t: t, handler: api, log: &logBuffer{}}
	answered := make(chan answer)
	go func() {
		answered <- s.as(keyed(t, "RS256", rsa2048(), kid("k"), nil), "GET", callbacksPath, "")
	}()
	<-asked
	api.Close()
	checkProblem(t, <-answered, 503, "HKG-2020")
	api.Close()
	idp.later(time.Minute)
	checkProblem(t, s.as(keyed(t, "RS256", rsa2048(), kid("k"), nil), "GET", callbacksPath, ""), 503, "HKG-2020")
	goleak.VerifyNone(t, ignore, goleak.IgnoreAnyFunction("net/http.(*conn).serve"))
}
