package vendors

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// A vendor's block has its preset and a secret that all its credentials share.
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
		redis embedded %[1]q
		seal_key MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=
	}
}
http://:%[2]d {
	bind 127.0.0.1
	hookgate {
		webhook /v1/discovery/webhooks/{vendor}/{token}
		failure_limit off
		%[6]s
	}
	hookgate_proxy %[3]s
}
http://:%[4]d {
	bind 127.0.0.1
	hookgate_admin {
		public_url http://127.0.0.1:%[2]d insecure
		jwt {
			secret {env.HOOKGATE_TEST_SECRET}
		}
		connections any
	}
}
http://:%[5]d {
	bind 127.0.0.1
	hookgate_status
}
`

// ownVerify are the trials whose library signs for a credential with a verify of its own.
var ownVerify = []string{
	"stripe npm stripe",
	"svix npm svix",
	"standard-webhooks npm standardwebhooks",
	"github npm @octokit/webhooks-methods",
	"twilio npm twilio form", // signs the URL, token included
	"stripe Go github.com/stripe/stripe-go/v85",
	"standard-webhooks Go github.com/standard-webhooks/standard-webhooks/libraries",
	"svix Go github.com/svix/svix-webhooks",
}

// TestOwnVerify: a credential with a verify of its own lets in what the vendor's library
// signs with that secret. Neither another secret vouches for it nor that of the vendor's
// block, which vouches for a credential without one.
func TestOwnVerify(t *testing.T) {
	all := libraries(t)
	delivered := make(chan string, 1)
	matcher := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		delivered <- string(body)
	}))
	defer matcher.Close()
	g := startGate(t, matcher.Listener.Addr().String())

	run := 0
	eachTrial(t, func(t *testing.T, tr trial, at time.Time) {
		if !slices.Contains(ownVerify, tr.name()) {
			return
		}
		run++
		l := all[tr.library]
		if l.sign == nil {
			t.Fatal("the library does not sign")
		}
		own, bare := g.mint(t, tr, tr.secret.verifies), g.mint(t, tr, "")
		for _, c := range []struct {
			name, url, secret string
			status            int
		}{
			{"its own secret", own, tr.secret.signs, http.StatusOK},
			{"another secret", own, tr.other.signs, http.StatusForbidden},
			{"the block's secret", own, blockSecret(tr), http.StatusForbidden},
			{"the block's secret, where it has none of its own", bare, blockSecret(tr), http.StatusOK},
			{"a secret of another credential", bare, tr.secret.signs, http.StatusForbidden},
		} {
			m := tr.request()
			m.url = c.url
			signed, err := l.sign(tr.call(m, c.secret, at))
			if err != nil {
				t.Fatalf("%s: the library does not sign: %v", c.name, err)
			}
			if got := signed.post(t); got != c.status {
				t.Errorf("%s: %d, want %d", c.name, got, c.status)
			}
			select {
			case got := <-delivered:
				if c.status != http.StatusOK || got != signed.body {
					t.Errorf("%s: delivered %q", c.name, got)
				}
			default:
				if c.status == http.StatusOK {
					t.Errorf("%s: nothing was delivered", c.name)
				}
			}
		}
	})
	if run != len(ownVerify) {
		t.Errorf("%d trials of %d", run, len(ownVerify))
	}
}

// gate is a hookgate with a block for every vendor of ownVerify.
type gate struct{ *hookgatetest.Hookgate }

func startGate(t *testing.T, matcher string) gate {
	t.Helper()
	blocks := map[string]string{}
	for _, tr := range trials(t, time.Now()) {
		if slices.Contains(ownVerify, tr.name()) {
			blocks[tr.preset] = fmt.Sprintf("vendor %[1]s {\n\t\t\tverify %[1]s %[2]s\n\t\t}\n\t\t", tr.preset, blockSecret(tr))
		}
	}
	var text strings.Builder
	for _, block := range blocks {
		text.WriteString(block)
	}
	dir, p := t.TempDir(), hookgatetest.FreePorts(t)
	h := hookgatetest.Start(t, p, hookgatetest.Serve(t, dir, fmt.Sprintf(caddyfile,
		filepath.Join(dir, "data"), p.Vendors, matcher, p.Admin, p.Status, text.String())))
	h.AwaitReady(http.StatusOK)
	return gate{h}
}

// blockSecret returns the secret of the vendor's block, in the form of the trial's own.
func blockSecret(tr trial) string {
	if strings.HasPrefix(tr.secret.signs, "whsec_") {
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte("the one of the block ..."))
	}
	return "8f742231b10e8888abcd99yyyzzz85b7"
}

// mint makes a webhook credential of a trial's vendor, with a verify of its own unless
// secret is empty, and returns its URL.
func (g gate) mint(t *testing.T, tr trial, secret string) string {
	t.Helper()
	name := tr.library + " " + tr.about
	spec := map[string]any{"kind": "webhook", "vendor": tr.preset}
	if secret != "" {
		name += " own"
		spec["verify"] = map[string]any{"scheme": tr.preset, "secrets": []string{secret}}
	}
	spec["connection"] = hex.EncodeToString([]byte(name))
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, g.Admin+"/v1/credentials", strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+hookgatetest.OperatorToken(t, "11111111-1111-1111-1111-111111111111", "admin"))
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	answered, err := io.ReadAll(a.Body)
	var made struct{ WebhookURL string }
	if err != nil || a.StatusCode != http.StatusCreated || json.Unmarshal(answered, &made) != nil || made.WebhookURL == "" {
		t.Fatalf("%d %v %s", a.StatusCode, err, answered)
	}
	return made.WebhookURL
}

// post sends a message, and returns the status.
func (m message) post(t *testing.T) int {
	t.Helper()
	r, err := http.NewRequest(m.method, m.url, strings.NewReader(m.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = m.header.Clone()
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	return a.StatusCode
}
