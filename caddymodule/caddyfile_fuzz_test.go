package caddymodule

import (
	"encoding/json"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/encoder"
	"github.com/hookgate/hookgate/caddymodule/handlers"
)

// FuzzCaddyfile: no text makes a parser panic, and what one accepts means the same
// as JSON.
func FuzzCaddyfile(f *testing.F) {
	for _, seed := range []string{
		"hookgate", "hookgate {\n\tredis redis://localhost\n\tnamespace a\n\tmax_staleness 1m\n}", "hookgate {\n\tredis embedded /data\n}",
		"hookgate {\n\ttoken_header X\n\tcallback /{exceptionId}\n\twebhook /{vendor}/{token}\n\tmax_body 1KiB\n\tfailure_limit 5 1m\n}",
		"hookgate {\n\tvendor a {\n\t\tallow_ips ::1 10.0.0.0/8\n\t\tsignature X {env.A} {env.B}\n\t}\n\tfailure_limit off\n}",
		"hookgate_admin {\n\tpublic_url https://x insecure\n\tjwt {\n\t\tsecret {env.A}\n\t\talgorithms HS256\n\t}\n\tconnections static a b\n}",
		"hookgate_proxy matcher:4018 {\n\ttry_duration 2s\n}", "hookgate_status", "hookgate {\n\tvendor a {\n\t\tvendor b {\n", "hookgate { { } }",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens, err := caddyfile.Tokenize([]byte(text), "Caddyfile")
		if err != nil {
			return
		}
		for _, module := range []func() caddyfile.Unmarshaler{
			func() caddyfile.Unmarshaler { return new(app.App) }, func() caddyfile.Unmarshaler { return new(handlers.Guard) },
			func() caddyfile.Unmarshaler { return new(handlers.Admin) }, func() caddyfile.Unmarshaler { return new(handlers.Proxy) },
			func() caddyfile.Unmarshaler { return new(handlers.Status) }, func() caddyfile.Unmarshaler { return new(encoder.Encoder) },
		} {
			m := module()
			if m.UnmarshalCaddyfile(caddyfile.NewDispenser(append([]caddyfile.Token(nil), tokens...))) != nil {
				continue
			}
			first, err := json.Marshal(m)
			if err != nil {
				t.Fatalf("%T cannot be written as JSON: %v", m, err)
			}
			again := module()
			if err := json.Unmarshal(first, again); err != nil {
				t.Fatalf("%T: %v in %s", m, err, first)
			}
			if second, err := json.Marshal(again); err != nil || string(second) != string(first) {
				t.Fatalf("%T: %s becomes %s, %v", m, first, second, err)
			}
		}
	})
}
