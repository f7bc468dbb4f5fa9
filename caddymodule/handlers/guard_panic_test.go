package handlers

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/credential/credentialtest"
	"github.com/hookgate/hookgate/store"
)

// testGuard returns a guard over an empty keyring that is not loaded, and its log.
func testGuard(t *testing.T) (*Guard, *observer.ObservedLogs) {
	t.Helper()
	s, err := store.New(store.Config{Namespace: "hookgate", EmbeddedDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zapcore.DebugLevel)
	g := &Guard{
		TokenHeader: defaultTokenHeader, Callback: []string{defaultCallback}, Webhook: []string{defaultWebhook},
		app: app.Around(s), logger: zap.New(core), now: time.Now,
	}
	g.policy.MaxBody = DefaultMaxBody
	if err := g.addRoutes(); err != nil {
		t.Fatal(err)
	}
	return g, logs
}

// TestPanicLetsNothingThrough: a bug of ours is a 500, at whatever point of the
// decision, and what it said of the request is not logged.
func TestPanicLetsNothingThrough(t *testing.T) {
	for at := 1; at <= 2; at++ { // before the decision, and behind it
		g, logs := testGuard(t)
		calls := 0
		g.now = func() time.Time {
			if calls++; calls == at {
				panic("about " + credentialtest.Canary)
			}
			return time.Now()
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/v1/exceptions/7d4f/callback", strings.NewReader("{}"))
		r.Header.Set(defaultTokenHeader, credentialtest.Canary)
		r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, &caddyhttp.Server{})
		err := g.ServeHTTP(w, r, caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error {
			t.Error("the request was forwarded")
			return nil
		}))
		if err != nil || w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), `"code":"HKG-1500"`) {
			t.Errorf("panic %d: %d %s, %v", at, w.Code, w.Body, err)
		}
		for _, entry := range logs.All() {
			for _, field := range entry.Context {
				if strings.Contains(entry.Message+field.String, credentialtest.Canary) {
					t.Errorf("panic %d: logged: %s %s", at, entry.Message, field.String)
				}
			}
		}
		if logs.FilterMessage("panic while deciding on a request").Len() != 1 {
			t.Errorf("panic %d: not logged once: %v", at, logs.All())
		}
	}
}
