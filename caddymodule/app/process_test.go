package app

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/hookgate/hookgate/credential/credentialtest"
)

// TestStandardLogGoesThroughTheDefaultLog: proxies and servers without an error log
// write to the standard library's logger, with parts of requests in it.
func TestStandardLogGoesThroughTheDefaultLog(t *testing.T) {
	SetUpProcess()
	file := filepath.Join(t.TempDir(), "log")
	config, err := json.Marshal(map[string]any{
		"admin": map[string]any{"disabled": true, "config": map[string]any{"persist": false}},
		"logging": map[string]any{"logs": map[string]any{"default": map[string]any{
			"writer": map[string]any{"output": "file", "filename": file}, "encoder": map[string]any{"format": "hookgate"},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
	log.Printf("http: proxy error: bad host my-own-secret\n%s", credentialtest.Canary)
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), `"msg":"http: proxy error: bad host -"`) || strings.Contains(string(text), "my-own-secret") {
		t.Errorf("%s, %v", text, err)
	}
}
