package handlers

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
)

// serve sets up the sites of a Caddyfile as Caddy does, and returns the server of the
// port as an HTTP server at an address of its own. The store is never started: the guard
// has no keyring to decide with, and answers 503 to whoever may be somebody.
func serve(t *testing.T, port int, sites string) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(caddyServer(t, port, sites))
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func caddyServer(t *testing.T, port int, sites string) http.Handler {
	t.Helper()
	text := fmt.Sprintf("{\n\tadmin off\n\tlog default {\n\t\tformat hookgate\n\t}\n\thookgate {\n\t\tredis embedded %q\n\t}\n}\n%s", t.TempDir()+"/store", sites)
	adapted, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), nil)
	if err != nil {
		t.Fatal(err, warnings)
	}
	config := new(caddy.Config)
	if err := json.Unmarshal(adapted, config); err != nil {
		t.Fatal(err)
	}
	ctx, err := caddy.ProvisionContext(config)
	if err != nil {
		t.Fatal(err)
	}
	app, err := ctx.App("http")
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range app.(*caddyhttp.App).Servers {
		if server.Listen[0] == fmt.Sprintf(":%d", port) {
			return server
		}
	}
	t.Fatalf("there is no server on port %d", port)
	return nil
}

// newContext returns a context to set up a module in.
func newContext(t *testing.T) caddy.Context {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	t.Cleanup(cancel)
	return ctx
}

// withVars returns a context with Caddy's variables of a request.
func withVars(ctx context.Context) context.Context {
	return context.WithValue(ctx, caddyhttp.VarsCtxKey, make(map[string]any))
}

// writeAuthority returns the line of a proxy block that makes it trust a test server.
func writeAuthority(t *testing.T, server *httptest.Server) string {
	t.Helper()
	file := t.TempDir() + "/ca.pem"
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return "tls_ca " + file
}

// problemOf returns the code of an answer, "" if it is no problem document.
func problemOf(t *testing.T, answer *http.Response) string {
	t.Helper()
	defer answer.Body.Close()
	if answer.Header.Get("Content-Type") != "application/problem+json" {
		return ""
	}
	var document struct{ Code string }
	if err := json.NewDecoder(answer.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	return document.Code
}
