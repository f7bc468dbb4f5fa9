package senders

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/test/process"
)

const (
	// patience is how long a test waits for what must come: longer than the timeouts of
	// the programs.
	patience = 40 * time.Second

	jwtSecret = "0123456789abcdef0123456789abcdef-test"
	tenant    = "0199d5a4-0000-7000-8000-00000000000a"
)

// terminals are the handlers that the guard has behind it.
var terminals = []string{"hookgate_proxy", "reverse_proxy"}

// site is a guard with the limits that a case needs.
type site struct{ name, limits string }

var (
	// open takes bodies of 4 MiB, and refuses any number of credentials.
	open = site{"open", "max_body 4MiB\n\t\tfailure_limit off"}
	// narrow takes bodies of 1 MiB.
	narrow = site{"narrow", "max_body 1MiB\n\t\tfailure_limit off"}
	// strict answers 429 after one refused credential.
	strict = site{"strict", "max_body 4MiB\n\t\tfailure_limit 1 1h"}
	// undecided belongs to a process whose keyring was never loaded.
	undecided = site{"undecided", "max_body 4MiB\n\t\tfailure_limit off"}
)

// The settings of the servers are those of Caddyfile.example. X-Sender-Port lets the
// upstream see which connection of the sender a request came on.
var caddyfile = template.Must(template.New("Caddyfile").Parse(`{
	admin off
	persist_config off
	grace_period 2s
	servers {
		listener_wrappers {
			hookgate
			tls
		}
		protocols h1
		timeouts {
			read_header 10s
			read_body 30s
			write_idle 10s
			idle 2m
		}
	}
	log default {
		output stderr
		format hookgate
	}
	hookgate {
		redis {{.Redis}}
	}
}
{{range .Sites}}
http://:{{.Port}} {
	bind 127.0.0.1
	log
	request_header X-Sender-Port {remote_port}
	hookgate {
		{{.Limits}}
	}
	{{.Terminal}} {{$.Upstream}}
}
{{end}}
http://:{{.Admin}} {
	bind 127.0.0.1
	hookgate_admin {
		public_url http://127.0.0.1:{{.Admin}} insecure
		jwt {
			secret {env.HOOKGATE_TEST_SECRET}
		}
		connections static pluggy-main
	}
}

http://:{{.Status}} {
	bind 127.0.0.1
	hookgate_status
}
`))

// gate is a hookgate process with a listener for each of its sites and terminals.
type gate struct {
	admin  string
	status string
	bases  map[string]string // by site and terminal
	output output
}

// launch runs hookgate until the test ends, and returns when it listens.
func launch(t *testing.T, binary, redis, upstream string, sites ...site) *gate {
	t.Helper()
	type listener struct {
		Port             int
		Limits, Terminal string
	}
	config := struct {
		Redis, Upstream string
		Admin, Status   int
		Sites           []listener
	}{Redis: redis, Upstream: upstream, Admin: freePort(t), Status: freePort(t)}
	g := &gate{
		admin:  fmt.Sprintf("http://127.0.0.1:%d", config.Admin),
		status: fmt.Sprintf("http://127.0.0.1:%d", config.Status),
		bases:  make(map[string]string),
	}
	for _, s := range sites {
		for _, terminal := range terminals {
			l := listener{freePort(t), s.limits, terminal}
			config.Sites = append(config.Sites, l)
			g.bases[s.name+" "+terminal] = fmt.Sprintf("http://127.0.0.1:%d", l.Port)
		}
	}
	var text bytes.Buffer
	if err := caddyfile.Execute(&text, config); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "run", "--config", path, "--adapter", "caddyfile")
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "HOOKGATE_TEST_SECRET=" + jwtSecret}
	cmd.Stdout, cmd.Stderr = &g.output, &g.output
	running, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Kill)
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if answer, err := http.Get(g.status + "/healthz"); err == nil {
			answer.Body.Close()
			return g
		}
		select {
		case <-running.Ended():
			t.Fatalf("hookgate ended:\n%s", g.output.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("hookgate does not listen:\n%s", g.output.String())
		}
	}
}

// credential is what a sender posts with.
type credential struct{ id, token string }

const (
	callbackCredentials = "/v1/exceptions/callbacks/credentials"
	webhookTokens       = "/v1/discovery/webhooks/tokens"
)

func (g *gate) mintCallback(t *testing.T) credential {
	t.Helper()
	var made struct{ Token, CredentialID string }
	g.operate(t, http.MethodPost, callbackCredentials, "{}", &made)
	return credential{made.CredentialID, made.Token}
}

func (g *gate) mintWebhook(t *testing.T) credential {
	t.Helper()
	var made struct{ Token string }
	g.operate(t, http.MethodPost, webhookTokens, `{"vendor":"pluggy","connection_config_name":"pluggy-main"}`, &made)
	var list struct{ Tokens []struct{ ID string } }
	g.operate(t, http.MethodGet, webhookTokens, "", &list)
	return credential{list.Tokens[0].ID, made.Token}
}

// revoke makes a credential dead.
func (g *gate) revoke(t *testing.T, collection string, c credential) credential {
	t.Helper()
	g.operate(t, http.MethodDelete, collection+"/"+c.id, "", nil)
	return c
}

func (g *gate) operate(t *testing.T, method, path, body string, into any) {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"tenant_id": tenant, "roles": []string{"admin"}, "sub": "test", "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(jwtSecret))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(method, g.admin+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %d, %v: %s", method, path, answer.StatusCode, err, text)
	}
}

// freePort returns one that nobody listens on now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// output collects what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
