package main

import (
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/hookgate/hookgate/proof/clientcert/clientcerttest"
)

// environment is what the examples expect to find.
func environment(t *testing.T) {
	t.Helper()
	t.Setenv("HOOKGATE_REDIS_URL", "redis://127.0.0.1:1/0")
	t.Setenv("HOOKGATE_REDIS_PASSWORD", "of the redis server")
	t.Setenv("HOOKGATE_SENTINEL_PASSWORD", "of the sentinels")
	t.Setenv("AUTH_JWT_SECRET", "0123456789abcdef0123456789abcdef")
	t.Setenv("AUTH_JWT_OLD_SECRET", "abcdef0123456789abcdef0123456789")
	t.Setenv("OIDC_CLIENT_SECRET", "client-secret")
	t.Setenv("ACME_SECRET", "signing-secret-of-acme")
	t.Setenv("SIEM_TOKEN", "of the SIEM")
	t.Setenv("ACME_OLD_SECRET", "signing-secret-before")
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
}

// validate loads a Caddyfile as `hookgate validate` does, and returns it as JSON.
func validate(t *testing.T, text string) ([]byte, error) {
	t.Helper()
	adapted, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		t.Errorf("warning: %s", w.String())
	}
	config := new(caddy.Config)
	if err := json.Unmarshal(adapted, config); err != nil {
		t.Fatal(err)
	}
	return adapted, caddy.Validate(config)
}

func TestExampleIsValid(t *testing.T) {
	environment(t)
	text, err := os.ReadFile("../../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	adapted, err := validate(t, string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"0123456789abcdef", "127.0.0.1:1/0"} {
		if strings.Contains(string(adapted), secret) {
			t.Errorf("the configuration holds the resolved %q", secret)
		}
	}
}

func TestSecretsThatCannotBeResolvedDoNotLoad(t *testing.T) {
	text, err := os.ReadFile("../../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"HOOKGATE_REDIS_URL", "AUTH_JWT_SECRET"} {
		t.Run(name, func(t *testing.T) {
			environment(t)
			t.Setenv(name, "")
			if _, err := validate(t, string(text)); err == nil {
				t.Error("it loads")
			}
		})
	}
}

// TestDocumentedConfigurations loads every Caddyfile in the README and in docs. A site
// is part of a file that begins with the README's global option.
func TestDocumentedConfigurations(t *testing.T) {
	environment(t)
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files = append([]string{"../../README.md"}, files...)
	authorities := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authorities, clientcerttest.NewAuthority(t).PEM, 0o644); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	authority := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	global := ""
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```caddyfile\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			config := block[1]
			switch {
			case global == "":
				global = config
			case !strings.HasPrefix(config, "{"):
				config = global + "\n" + config
			}
			config = strings.ReplaceAll(config, "/etc/hookgate/bank-ca.pem", authorities)
			config = strings.ReplaceAll(config, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", authority)
			if _, err := validate(t, config); err != nil {
				t.Errorf("%s: %v in:\n%s", file, err, config)
			}
		}
	}
	if !strings.HasPrefix(global, "{") {
		t.Errorf("the README's first Caddyfile is no global option:\n%s", global)
	}
}

// TestReadmeShowsWhatTheDemoPrints keeps the README's lines to try equal to the
// demo's, which are run as they are printed.
func TestReadmeShowsWhatTheDemoPrints(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	demo, err := os.ReadFile("../../caddymodule/command/demo.txt")
	if err != nil {
		t.Fatal(err)
	}
	printed := strings.NewReplacer("{{.Admin}}", "http://127.0.0.1:8081", "{{.Server}}", "http://127.0.0.1:8080").Replace(string(demo))
	lines := regexp.MustCompile(`(?m)^(TOKEN=\$\(curl|curl) .*$`).FindAllString(string(readme), -1)
	if len(lines) < 4 {
		t.Fatalf("found %d lines", len(lines))
	}
	for _, line := range lines {
		if !strings.Contains(printed, line) {
			t.Errorf("the demo does not print: %s", line)
		}
	}
}
