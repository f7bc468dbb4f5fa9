package admin_test

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"

	"github.com/hookgate/hookgate/admin"
)

// issuer is an identity provider: an HTTP server that publishes keys, and a clock.
type issuer struct {
	*httptest.Server

	mu     sync.Mutex
	time   time.Time
	answer http.HandlerFunc
	count  int
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{time: now}
	i.fail()
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.count++
		answer := i.answer
		i.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

// option makes a server trust the issuer and live by its clock.
func (i *issuer) option(algorithms ...string) option {
	return func(c *admin.Config) {
		c.JWT.Secrets, c.JWT.KeySetURL, c.JWT.Algorithms = nil, i.URL+"/jwks", algorithms
		c.Now = func() time.Time {
			i.mu.Lock()
			defer i.mu.Unlock()
			return i.time
		}
	}
}

func (i *issuer) respond(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

func (i *issuer) publish(keys ...map[string]any) {
	text := must(json.Marshal(map[string]any{"keys": append([]map[string]any{}, keys...)}))
	i.respond(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/jwks" {
			http.NotFound(w, r)
			return
		}
		w.Write(text)
	})
}

func (i *issuer) fail() {
	i.respond(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "out of order", http.StatusBadGateway) })
}

func (i *issuer) requests() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.count
}

// later moves the clock.
func (i *issuer) later(d time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.time = i.time.Add(d)
}

// jwk is a public key as it stands in a JWKS; nil removes a member.
func jwk(k testKey, id string, changes map[string]any) map[string]any {
	return jwkOf(k().Public(), id, changes)
}

func jwkOf(key crypto.PublicKey, id string, changes map[string]any) map[string]any {
	made := must(jwkset.NewJWKFromKey(key, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: id, USE: jwkset.UseSig}}))
	var members map[string]any
	if err := json.Unmarshal(must(json.Marshal(made.Marshal())), &members); err != nil {
		panic(err)
	}
	for name, value := range changes {
		members[name] = value
		if value == nil {
			delete(members, name)
		}
	}
	return members
}

func with(header map[string]any, name string, value any) map[string]any {
	header = maps.Clone(header)
	if header == nil {
		header = map[string]any{}
	}
	header[name] = value
	return header
}

func zeros(n int) string { return base64.RawURLEncoding.EncodeToString(make([]byte, n)) }

// swapped is a token with the signature of another.
func swapped(token, other string) string {
	return token[:strings.LastIndex(token, ".")] + other[strings.LastIndex(other, "."):]
}
