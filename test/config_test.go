package test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// config is what a test's Caddyfile says beyond what all of them have in common.
type config struct {
	store    store
	upstream string   // host:port
	global   []string // further global options; without one, admin is off
	servers  []string // further lines of the servers option
	app      []string // further lines of the hookgate option
	wrappers []string // lines of listener_wrappers; without one, hookgate and tls
	tls      string   // arguments of tls for the vendors' site; "": HTTP
	guard    []string // lines of the guard; without one, failure_limit is off
	proxy    []string // lines of the proxy
	patience string   // how long the proxy waits for an answer; "": as it does by default
	jwt      []string // further lines of the admin API's jwt
	admin    []string // further lines of the admin API
	known    string   // arguments of connections; "": static pluggy-main belvo-main

	whole    string   // a Caddyfile as documented, in place of ours; its addresses are replaced
	receiver string   // host:port of what it calls receiver:9000
	env      []string // further variables
	stderr   *os.File // standard error of the process, in place of one that is read
	binary   string   // in place of the one under test
}

// store is where a gate keeps its credentials.
type store struct {
	words string            // what follows `redis` in the Caddyfile
	redis *redistest.Server // nil: embedded
	dir   string            // of the embedded store
}

func embedded(t testing.TB) store {
	dir := filepath.Join(t.TempDir(), "data")
	return store{words: fmt.Sprintf("embedded %q", dir), dir: dir}
}

func onRedis(t testing.TB, options ...redistest.Option) store {
	server := redistest.Start(t, options...)
	return store{words: server.URL(), redis: server}
}

// syncing makes Redis keep every write that it has answered, whatever happens to it.
var syncing = redistest.WithArgs("--appendonly", "yes", "--appendfsync", "always")

// eachStore runs a test against a real Redis and against the embedded store.
func eachStore(t *testing.T, test func(*testing.T, store)) {
	t.Parallel()
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, onRedis(t, syncing))
	})
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, embedded(t))
	})
}

// The status and admin listeners are apart, as a deployment has them.
var caddyfile = template.Must(template.New("Caddyfile").Parse(`{
	persist_config off
	servers {
		listener_wrappers {
{{- range .Wrappers}}
			{{.}}
{{- else}}
			hookgate
			tls
{{- end}}
		}
{{- range .Servers}}
		{{.}}
{{- end}}
	}
{{- range .Global}}
	{{.}}
{{- end}}
	grace_period 2s
	log default {
		output stderr
		format hookgate
		level DEBUG
	}
	hookgate {
		redis {{.Redis}}
{{- range .App}}
		{{.}}
{{- end}}
	}
}

{{.Scheme}}://:{{.Vendors}} {
	bind 127.0.0.1
	log
{{- if .TLS}}
	tls {{.TLS}}
{{- end}}
	hookgate {
{{- range .Guard}}
		{{.}}
{{- end}}
	}
	{{.Terminal}} {{.Upstream}} {
{{- range .Proxy}}
		{{.}}
{{- end}}
	}
}

http://:{{.Admin}} {
	bind 127.0.0.1
	log
	hookgate_admin {
		public_url http://127.0.0.1:{{.Vendors}} insecure
		jwt {
			secret {env.HOOKGATE_TEST_SECRET}
{{- range .JWT}}
			{{.}}
{{- end}}
		}
		connections {{.Known}}
{{- range .AdminLines}}
		{{.}}
{{- end}}
	}
}

http://:{{.Status}} {
	bind 127.0.0.1
	hookgate_status
}
`))

// text returns the Caddyfile.
func (c config) text(t testing.TB, p hookgatetest.Ports) string {
	t.Helper()
	if c.whole != "" {
		return c.documented(p)
	}
	if c.upstream == "" {
		c.upstream = "127.0.0.1:9" // discard; nothing listens there
	}
	if c.known == "" {
		c.known = "static pluggy-main belvo-main"
	}
	c.global = withDefault(c.global, "admin off")
	c.guard = withDefault(c.guard, "failure_limit off") // all clients of a test have one address
	if !express {
		c.app = withDefault(c.app, "express off")
	}
	var text strings.Builder
	err := caddyfile.Execute(&text, struct {
		hookgatetest.Ports
		Redis, Terminal, Upstream, Scheme, TLS, Known string
		Global, Servers, App, Guard, Proxy, JWT       []string
		AdminLines                                    []string
		Wrappers                                      []string
	}{p, c.store.words, terminal, c.upstream, c.scheme(), c.tls, c.known, c.global, c.servers, c.app, c.guard, c.proxyLines(), c.jwt, c.admin, c.wrappers})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// documented returns the documented Caddyfile as it runs here.
func (c config) documented(p hookgatetest.Ports) string {
	return strings.NewReplacer(
		"http://:8080 {", fmt.Sprintf("http://:%d {\n\tbind 127.0.0.1", p.Vendors),
		"http://:8081 {", fmt.Sprintf("http://:%d {", p.Admin),
		"http://:9090 {", fmt.Sprintf("http://:%d {\n\tbind 127.0.0.1", p.Status),
		"https://hooks.example.com", fmt.Sprintf("http://127.0.0.1:%d insecure", p.Vendors),
		"10.0.0.0/8", "127.0.0.1/32",
		"matcher:4018", c.upstream,
		"receiver:9000", c.receiver,
	).Replace(c.whole)
}

// terminal is the handler behind the guard: hookgate_proxy, or Caddy's reverse_proxy
// where the environment says so. What the guard promises holds with both.
var terminal = cmp.Or(os.Getenv("HOOKGATE_TERMINAL"), "hookgate_proxy")

func (c config) proxyLines() []string {
	switch {
	case c.patience == "":
		return c.proxy
	case terminal == "reverse_proxy":
		return []string{"transport http {", "response_header_timeout " + c.patience, "}"}
	}
	return []string{"response_header_timeout " + c.patience}
}

func (c config) scheme() string {
	if c.tls != "" {
		return "https"
	}
	return "http"
}

// express is whether the express lane takes what it can: it does unless HOOKGATE_EXPRESS is off.
var express = os.Getenv("HOOKGATE_EXPRESS") != "off"

// inLane reports whether there is an express lane at all.
func inLane() bool { return express && terminal == "hookgate_proxy" }

// withDefault adds a line where none begins with its first word.
func withDefault(lines []string, line string) []string {
	word, _, _ := strings.Cut(line, " ")
	for _, given := range lines {
		if strings.HasPrefix(given, word+" ") {
			return lines
		}
	}
	return append(slices.Clone(lines), line)
}
