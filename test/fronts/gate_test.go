package fronts

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"text/template"

	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

const tenant = "0199d5a4-0000-7000-8000-00000000000a"

// gate is a hookgate behind a proxy, with a recording upstream.
type gate struct {
	*hookgatetest.Hookgate // nil until start

	t         testing.TB
	ports     hookgatetest.Ports
	caddyfile string
	redis     *redistest.Server
	upstream  *upstream

	callback credential
	webhook  credential // of a vendor that may send from anywhere
	listed   credential // of a vendor with allow_ips
}

type credential struct{ token, path string }

// newGate makes the Caddyfile of a hookgate that is not yet run.
func newGate(t *testing.T, f front) *gate {
	t.Helper()
	g := &gate{t: t, ports: hookgatetest.FreePorts(t), redis: redistest.Start(t), upstream: newUpstream(t)}
	site := fmt.Sprintf("http://hooks.example.com:%d", g.ports.Vendors)
	if f.foreignHost {
		site = fmt.Sprintf("http://:%d", g.ports.Vendors)
	}
	servers, ready := strings.ReplaceAll(snippet(t, f.side()), "10.0.0.0/8", "127.0.0.1/32"), ""
	if f.readyzOfVendors {
		ready = strings.Replace(snippet(t, "hookgate-readyz"), "http://:8080 {", fmt.Sprintf("http://:%d {\n\tbind 127.0.0.1", g.ports.Vendors), 1)
	}
	frame, err := template.ParseFiles("testdata/Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	err = frame.Execute(&text, map[string]any{
		"Redis": g.redis.URL(), "Servers": servers, "Site": site, "Ready": ready, "Allowed": allowed,
		"Upstream": g.upstream.addr, "Admin": g.ports.Admin, "Status": g.ports.Status,
	})
	if err != nil {
		t.Fatal(err)
	}
	g.caddyfile = text.String()
	return g
}

// start runs hookgate, and mints the credentials of the test when it is ready.
func (g *gate) start() {
	g.t.Helper()
	if g.Hookgate == nil {
		g.Hookgate = hookgatetest.Start(g.t, g.ports, hookgatetest.Serve(g.t, g.t.TempDir(), g.caddyfile))
	} else {
		g.Run()
	}
	g.AwaitReady(http.StatusOK)
	const credentials, tokens = "/v1/exceptions/callbacks/credentials", "/v1/discovery/webhooks/tokens"
	g.callback = credential{token: g.mint(credentials, `{"externalSystem":"JIRA"}`), path: "/v1/exceptions/exc-1_A/callback"}
	for vendor, c := range map[string]*credential{"pluggy": &g.webhook, "belvo": &g.listed} {
		token := g.mint(tokens, fmt.Sprintf(`{"vendor":%q,"connection_config_name":"%s-main"}`, vendor, vendor))
		*c = credential{token, "/v1/discovery/webhooks/" + vendor + "/" + token}
	}
	g.create("/v1/credentials", fmt.Sprintf(`{"kind":"api","clientId":%q,"secretHash":"sha256:%x"}`, partner, sha256.Sum256([]byte(partnerSecret))))
}

// partner and partnerSecret are a client of the api paths.
const partner, partnerSecret = "partner", "secret of the partner"

// mint posts to the admin API, and returns the token that it answers with.
func (g *gate) mint(path, body string) string {
	g.t.Helper()
	var minted struct{ Token string }
	if text := g.create(path, body); json.Unmarshal(text, &minted) != nil || minted.Token == "" {
		g.t.Fatalf("%s: %s", path, text)
	}
	return minted.Token
}

// create posts to the admin API, and returns its answer.
func (g *gate) create(path, body string) []byte {
	g.t.Helper()
	r, err := http.NewRequest(http.MethodPost, g.Admin+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+hookgatetest.OperatorToken(g.t, tenant, "admin"))
	r.Header.Set("Content-Type", "application/json")
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusCreated {
		g.t.Fatalf("%s: %d %s, %v", path, answer.StatusCode, text, err)
	}
	return text
}
