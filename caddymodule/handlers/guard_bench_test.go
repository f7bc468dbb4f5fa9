package handlers

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/bench/loaded"
	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
)

// BenchmarkGuard is the handler from the request as Caddy hands it over until the proxy
// has it, or until it is refused. What makes the request is in it: "request" is that
// alone, to be subtracted.
func BenchmarkGuard(b *testing.B) {
	for _, size := range loaded.Sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			g := &Guard{
				TokenHeader: defaultTokenHeader, Callback: []string{defaultCallback}, Webhook: []string{defaultWebhook},
				policy: guard.Policy{TokenHeader: defaultTokenHeader, MaxBody: DefaultMaxBody, MaxStaleness: time.Minute},
			}
			store := loaded.Store(b, size)
			g.app = app.Around(store)
			if err := g.addRoutes(); err != nil {
				b.Fatal(err)
			}
			g.gate = &gate.Gate{Policy: g.policy, Keyring: store.Keyring(), Server: server{store}, Logger: zap.NewNop(), Now: time.Now}
			upstream := caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
				_, err := io.Copy(io.Discard, r.Body)
				w.WriteHeader(http.StatusOK)
				return err
			})
			for _, c := range []struct {
				name    string
				token   string
				handler caddyhttp.MiddlewareHandler
				want    int
			}{
				{"request", loaded.Token(0), pass{}, http.StatusOK},
				{"allowed", loaded.Token(size / 2), g, http.StatusOK},
				{"unknown", loaded.Token(size), g, http.StatusUnauthorized},
			} {
				once := func() {
					w := httptest.NewRecorder()
					r := httptest.NewRequest(http.MethodPost, "/v1/exceptions/7d4f/callback", strings.NewReader(`{"status":"resolved"}`))
					r.Header.Set(defaultTokenHeader, c.token)
					r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, &caddyhttp.Server{})
					if err := c.handler.ServeHTTP(w, r, upstream); err != nil || w.Code != c.want {
						b.Error(w.Code, err)
					}
				}
				b.Run(c.name+"/serial", func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						once()
					}
				})
				b.Run(c.name+"/parallel", func(b *testing.B) {
					b.ReportAllocs()
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							once()
						}
					})
				})
			}
		})
	}
}

// pass hands every request over as it is.
type pass struct{}

func (pass) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return next.ServeHTTP(w, r)
}
