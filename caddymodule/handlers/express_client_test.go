package handlers

import (
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/internal/wire"
)

// TestClientOfBothWays: the lane names a client to the upstream as Caddy does, also one whose
// address has a zone.
func TestClientOfBothWays(t *testing.T) {
	server := new(caddyhttp.Server)
	for _, remote := range []string{"192.0.2.1:4711", "[2001:db8::1]:4711", "[fe80::1%eth0]:4711", "[fe80::1%25]:4711", "[::ffff:192.0.2.1]:4711"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr = remote
		r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, server)
		want, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
		if got := wire.ClientAt(remote).Text; got != want || got == "" {
			t.Errorf("%s: %q, and Caddy's way %q", remote, got, want)
		}
	}
}
