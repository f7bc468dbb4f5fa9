package admin_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/credential/seal"
	"github.com/hookgate/hookgate/store"
)

var (
	secret  = []byte("0123456789abcdef0123456789abcdef")
	tenantA = uuid.MustParse("0b5cf6a2-6a3d-4c52-9a2b-2f1d7c9e4a01")
	tenantB = uuid.MustParse("0b5cf6a2-6a3d-4c52-9a2b-2f1d7c9e4a02")
	// now is the time by which bearer tokens are judged.
	now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

const (
	callbacksPath = "/v1/exceptions/callbacks/credentials"
	tokensPath    = "/v1/discovery/webhooks/tokens"
	publicURL     = "https://hooks.example.com"
)

// server is an admin API on a store of its own.
type server struct {
	t        testing.TB
	handler  http.Handler
	store    *store.Store
	log      *logBuffer
	observed chan observation
}

type observation struct {
	operation string
	status    int
}

type option func(*admin.Config)

func newServer(t testing.TB, options ...option) *server {
	t.Helper()
	st := newStore(t, store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"})
	await(t, st, func(stats store.Stats) bool { return stats.Loaded }) // only then is it known what works
	return newServerOn(t, st, options...)
}

func newServerOn(t testing.TB, s *store.Store, options ...option) *server {
	t.Helper()
	srv := &server{t: t, store: s, log: &logBuffer{}, observed: make(chan observation, 100)}
	config := admin.Config{
		Store:       s,
		JWT:         bearer.Config{Secrets: [][]byte{secret}},
		PublicURL:   publicURL,
		Connections: connections.Static{"main"},
		Guards:      guards(policyOf(matchersCallback, matchersWebhook)),
		RateLimit:   admin.RateLimit{Off: true}, // the clock stands still
		Now:         func() time.Time { return now },
		Logger:      slog.New(slog.NewTextHandler(srv.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observe: func(operation string, status int) {
			select {
			case srv.observed <- observation{operation, status}:
			default: // the tests that look at it make few requests
			}
		},
	}
	for _, o := range options {
		o(&config)
	}
	handler, err := admin.New(config)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(handler.Close)
	srv.handler = handler
	return srv
}

// within returns the server as another test sees it.
func (s *server) within(t testing.TB) *server {
	other := *s
	other.t = t
	return &other
}

func newStore(t testing.TB, config store.Config) *store.Store {
	t.Helper()
	s, err := store.New(config)
	if err != nil {
		t.Fatalf("store.New: %v", err)
	}
	if err := s.Start(store.Tuning{UsageFlush: time.Second, SealKeys: sealKeys(t)}); err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() { s.Destruct() })
	return s
}

func sealKeys(t testing.TB) *seal.Keys {
	t.Helper()
	keys, err := seal.ParseKeys("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// answer is a whole response.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) decode(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		t.Fatalf("%d answer is not a JSON object: %v\n%s", a.StatusCode, err, a.body)
	}
	return m
}

func (a answer) text(t testing.TB, field string) string {
	t.Helper()
	text, _ := a.decode(t)[field].(string)
	return text
}

// list returns the records of a list answer.
func (a answer) list(t testing.TB, field string) []map[string]any {
	t.Helper()
	items, ok := a.decode(t)[field].([]any)
	if !ok {
		t.Fatalf("%s is not a list: %s", field, a.body)
	}
	records := make([]map[string]any, len(items))
	for i, item := range items {
		records[i] = item.(map[string]any)
	}
	return records
}

func (s *server) send(r *http.Request) answer {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	response := w.Result()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatalf("read the answer: %v", err)
	}
	return answer{response, body}
}

// as sends a request with an operator's token. A body of "" is none.
func (s *server) as(authorization, method, path, body string) answer {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return s.send(r)
}

// must is as, and expects a status.
func (s *server) must(status int, authorization, method, path, body string) answer {
	s.t.Helper()
	a := s.as(authorization, method, path, body)
	if a.StatusCode != status {
		s.t.Fatalf("%s %s: got %d, want %d\n%s", method, path, a.StatusCode, status, a.body)
	}
	return a
}

// checkProblem expects a problem document of the contract with a status and code.
func checkProblem(t testing.TB, a answer, status int, code string) map[string]any {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("got status %d, want %d\n%s", a.StatusCode, status, a.body)
	}
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q\n%s", got, a.body)
	}
	conforms(t, "Detail", a.body)
	doc := a.decode(t)
	if doc["code"] != code {
		t.Errorf("code %v, want %s\n%s", doc["code"], code, a.body)
	}
	if doc["status"] != float64(status) || doc["type"] != "about:blank" || doc["title"] != http.StatusText(status) || doc["detail"] == "" {
		t.Errorf("incomplete problem: %s", a.body)
	}
	id, err := uuid.Parse(a.Header.Get("X-Request-Id"))
	if err != nil || id.Version() != 7 {
		t.Errorf("X-Request-Id %q is no UUID of version 7", a.Header.Get("X-Request-Id"))
	}
	if doc["instance"] != "urn:uuid:"+id.String() {
		t.Errorf("instance %v does not name request %s", doc["instance"], id)
	}
	if bytes.Contains(a.body, []byte(`"value"`)) {
		t.Errorf("the problem echoes a value: %s", a.body)
	}
	return doc
}

// tokenFor signs claims with the shared secret; exp is added unless given.
func tokenFor(t testing.TB, claims jwt.MapClaims) string {
	t.Helper()
	if _, ok := claims["exp"]; !ok {
		claims["exp"] = now.Add(time.Hour).Unix()
	}
	return "Bearer " + signed(t, jwt.SigningMethodHS256, claims, secret)
}

func signed(t testing.TB, method jwt.SigningMethod, claims jwt.MapClaims, key any) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatalf("sign a token: %v", err)
	}
	return token
}

func adminOf(t testing.TB, tenant uuid.UUID) string {
	t.Helper()
	return tokenFor(t, jwt.MapClaims{"tenant_id": tenant.String(), "roles": "admin"})
}

func viewerOf(t testing.TB, tenant uuid.UUID) string {
	t.Helper()
	return tokenFor(t, jwt.MapClaims{"tenant_id": tenant.String(), "roles": "viewer"})
}
