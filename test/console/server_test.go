package console

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// The connections are those of webhook credentials; the api path is there to use an
// api credential on. A JWT may live for long, since a page whose clock is put forward
// goes by its end.
const caddyfile = `{
	admin off
	persist_config off
	grace_period 1s
	log default {
		output stderr
		format hookgate
		level ERROR
	}
	hookgate {
		redis %[1]s
		usage_flush 1s
		seal_key MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=
		%[6]s
	}
}
http://:%[2]d {
	bind 127.0.0.1
	hookgate {
		callback /v1/exceptions/{exceptionId}/callback
		webhook /v1/discovery/webhooks/{vendor}/{token}
		api /partners/* products:read
		failure_limit off
	}
	hookgate_proxy %[3]s
}
http://:%[4]d {
	bind 127.0.0.1
	hookgate_admin {
		public_url http://127.0.0.1:%[2]d insecure
		jwt {
			secret {env.HOOKGATE_TEST_SECRET}
			max_ttl 200d
		}
		connections any
	}
}
http://:%[5]d {
	bind 127.0.0.1
	hookgate_status
}
`

// server is a hookgate process with a stand-in for Matcher that accepts everything.
type server struct {
	*hookgatetest.Hookgate
	matcher *httptest.Server
}

func startServer(dir string) (*server, error) {
	return startServerOn(dir, fmt.Sprintf("embedded %q", filepath.Join(dir, "data")), "")
}

// startServerOn starts one on a Redis, with further lines about the store.
func startServerOn(dir, redis, lines string) (*server, error) {
	matcher := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	h, err := hookgatetest.Open(dir, func(p hookgatetest.Ports) string {
		return fmt.Sprintf(caddyfile, redis, p.Vendors, matcher.Listener.Addr(), p.Admin, p.Status, lines)
	})
	if err != nil {
		matcher.Close()
		return nil, err
	}
	return &server{h, matcher}, nil
}

func (s *server) stop() {
	s.Kill()
	s.matcher.Close()
}

// tenant is somebody whose credentials no other test sees.
type tenant struct {
	t  testing.TB
	s  *server
	id string
}

func newTenant(t testing.TB) tenant { return tenant{t, gate, uuid.NewString()} }

// jwt returns an operator's token; the claims come on top of what all of them have.
func (o tenant) jwt(role string, ttl time.Duration) string {
	o.t.Helper()
	return hookgatetest.SignJWT(o.t, jwt.MapClaims{
		"tenant_id": o.id, "roles": []string{role}, "sub": "alice@example.com", "exp": time.Now().Add(ttl).Unix(),
	})
}

func (o tenant) admin() string { return o.jwt("admin", time.Hour) }

// ask makes a request to the admin API, beside the console.
func (o tenant) ask(method, path, body string, into any) {
	o.t.Helper()
	r, err := http.NewRequest(method, o.s.Admin+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+o.admin())
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		o.t.Fatalf("%s %s: %d %v\n%s", method, path, response.StatusCode, err, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		o.t.Fatal(err)
	}
}

// credential is what a test has to know of one.
type credential struct {
	ID, Label, Kind, Status, Token, WebhookURL string
	LastUsedAt                                 time.Time
}

func (o tenant) mint(body string) (c credential) {
	o.t.Helper()
	o.ask("POST", "/v1/credentials", body, &c)
	return c
}

func (o tenant) list() []credential {
	o.t.Helper()
	var page struct{ Credentials []credential }
	o.ask("GET", "/v1/credentials?limit=1000", "", &page)
	return page.Credentials
}

// callback posts one as a vendor, and returns the guard's status.
func (o tenant) callback(token string) int {
	o.t.Helper()
	return status(o.t, "POST", o.s.Vendors+"/v1/exceptions/7d4f/callback", "X-Callback-Token", token)
}

// use presents the token of each, and waits until the admin API tells of it.
func (o tenant) use(credentials ...credential) {
	o.t.Helper()
	for _, c := range credentials {
		answer := 0
		if c.Kind == "webhook" {
			answer = status(o.t, "POST", c.WebhookURL)
		} else {
			answer = o.callback(c.Token)
		}
		if answer != http.StatusOK {
			o.t.Fatalf("a request with the token of %s: %d", c.ID, answer)
		}
	}
	for _, c := range credentials {
		hookgatetest.Eventually(o.t, "the use is written", func() bool {
			var now credential
			o.ask("GET", "/v1/credentials/"+c.ID, "", &now)
			return !now.LastUsedAt.IsZero()
		})
	}
}

func status(t testing.TB, method, url string, header ...string) int {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
