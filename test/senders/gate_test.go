package senders

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const tenant = "0199d5a4-0000-7000-8000-00000000000a"

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

// The settings of the servers are those of Caddyfile.example. The access log tells which
// connection of the sender a request came on.
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
		express {{.Express}}
	}
}
{{range .Sites}}
http://:{{.Port}} {
	bind 127.0.0.1
	log
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
	*hookgatetest.Hookgate
	bases map[string]string // of the listeners, by site and terminal
}

// launch runs hookgate until the test ends, and returns when it listens.
func launch(t *testing.T, redis, upstream string, sites ...site) gate {
	t.Helper()
	type listener struct {
		Port             int
		Limits, Terminal string
	}
	config := struct {
		hookgatetest.Ports
		Redis, Upstream, Express string
		Sites                    []listener
	}{hookgatetest.FreePorts(t), redis, upstream, express, nil}
	g := gate{bases: make(map[string]string)}
	for _, s := range sites {
		for _, terminal := range terminals {
			l := listener{hookgatetest.FreePort(t), s.limits, terminal}
			config.Sites = append(config.Sites, l)
			g.bases[s.name+" "+terminal] = fmt.Sprintf("http://127.0.0.1:%d", l.Port)
		}
	}
	var text strings.Builder
	if err := caddyfile.Execute(&text, config); err != nil {
		t.Fatal(err)
	}
	g.Hookgate = hookgatetest.Start(t, config.Ports, hookgatetest.Serve(t, t.TempDir(), text.String()))
	return g
}

// express is the word for the express lane.
var express = cmp.Or(os.Getenv("HOOKGATE_EXPRESS"), "on")

var remote = regexp.MustCompile(`"remote_addr":"([^"]+)"`)

// connectionOf returns the address that a request came from, when the line about it is in the
// access log.
func (g gate) connectionOf(t *testing.T, requestID string) (address string) {
	t.Helper()
	hookgatetest.Eventually(t, "the access log has the request", func() bool {
		for line := range strings.Lines(g.Output.String()) {
			if strings.Contains(line, `"msg":"handled request"`) && strings.Contains(line, requestID) {
				address = remote.FindStringSubmatch(line)[1]
				return true
			}
		}
		return false
	})
	return address
}

// checkLane checks that requests took the express lane where there is one, and only there.
func (g gate) checkLane(t *testing.T) {
	t.Helper()
	answer, err := http.Get(g.Status + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	served := regexp.MustCompile(`(?m)^hookgate_express_requests_total\{result="served"\} [1-9]`).Match(text)
	if served != (express == "on") {
		t.Errorf("express %s, and the express lane served requests: %t", express, served)
	}
}

// credential is what a sender posts with.
type credential struct{ id, token string }

const (
	callbackCredentials = "/v1/exceptions/callbacks/credentials"
	webhookTokens       = "/v1/discovery/webhooks/tokens"
)

func (g gate) mintCallback(t *testing.T) credential {
	t.Helper()
	var made struct{ Token, CredentialID string }
	g.operate(t, http.MethodPost, callbackCredentials, "{}", &made)
	return credential{made.CredentialID, made.Token}
}

func (g gate) mintWebhook(t *testing.T) credential {
	t.Helper()
	var made struct{ Token string }
	g.operate(t, http.MethodPost, webhookTokens, `{"vendor":"pluggy","connection_config_name":"pluggy-main"}`, &made)
	var list struct{ Tokens []struct{ ID string } }
	g.operate(t, http.MethodGet, webhookTokens, "", &list)
	return credential{list.Tokens[0].ID, made.Token}
}

// revoke makes a credential dead.
func (g gate) revoke(t *testing.T, collection string, c credential) credential {
	t.Helper()
	g.operate(t, http.MethodDelete, collection+"/"+c.id, "", nil)
	return c
}

func (g gate) operate(t *testing.T, method, path, body string, into any) {
	t.Helper()
	r, err := http.NewRequest(method, g.Admin+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+hookgatetest.OperatorToken(t, tenant, "admin"))
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
