package test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/proof/clientcert/clientcerttest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// pixRecipe returns the site of docs/vendors.md as it runs here.
func pixRecipe(t *testing.T, dir, upstream string, p hookgatetest.Ports) string {
	t.Helper()
	page, err := os.ReadFile("../docs/vendors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, below, _ := strings.Cut(string(page), "## Pix and Open Finance")
	block := regexp.MustCompile("(?s)```caddyfile\n(.*?)```").FindStringSubmatch(below)
	if block == nil {
		t.Fatal("the page has no Caddyfile")
	}
	return strings.NewReplacer(
		"https://hooks.example.com {", fmt.Sprintf("https://hooks.example.com:%d {\n\tbind 127.0.0.1", p.Vendors),
		"tls {", fmt.Sprintf("tls %s %s {", filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")),
		"/etc/hookgate/bank-ca.pem", filepath.Join(dir, "bank-ca.pem"),
		"matcher:4018", upstream,
	).Replace(block[1])
}

// TestPixRecipe: the documented site takes events of the bank alone, by its certificate, on
// the paths that it appends to the URL; over HTTP/1.1 and HTTP/2.
func TestPixRecipe(t *testing.T) {
	t.Parallel()
	u, p, dir := newUpstream(t), hookgatetest.FreePorts(t), t.TempDir()
	servers, bankCA, otherCA := clientcerttest.NewAuthority(t), clientcerttest.NewAuthority(t), clientcerttest.NewAuthority(t)
	server := servers.Server(t, "hooks.example.com")
	files := map[string][]byte{"server.pem": clientcerttest.PEM(server), "server.key": clientcerttest.KeyPEM(t, server), "bank-ca.pem": bankCA.PEM}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := func(site string) string {
		return fmt.Sprintf(`{
	admin off
	persist_config off
	auto_https off
	log default {
		output stderr
		format hookgate
		level DEBUG
	}
	hookgate {
		redis %s
	}
}

%s
http://:%d {
	bind 127.0.0.1
	hookgate_admin {
		public_url https://hooks.example.com
		jwt {
			secret {env.HOOKGATE_TEST_SECRET}
		}
		connections any
	}
}

http://:%d {
	bind 127.0.0.1
	hookgate_status
}
`, embedded(t).words, site, p.Admin, p.Status)
	}
	site := pixRecipe(t, dir, u.addr, p)
	g := &gate{t: t, ports: p, dir: dir, client: newClient(t)}
	g.Hookgate = hookgatetest.Start(t, p, hookgatetest.Serve(t, dir, text(site)))
	g.AwaitReady(http.StatusOK)
	a := g.operator(t, tenantA, "admin").do(http.MethodPost, "/v1/credentials", `{"kind":"webhook","vendor":"bank","connection":"bank-main"}`)
	wantStatus(t, a, http.StatusCreated)
	var minted struct{ ID, Token string }
	if err := json.Unmarshal(a.body, &minted); err != nil {
		t.Fatal(err)
	}

	pix := pkix.Name{CommonName: "pix.bank.example", Organization: []string{"Bank"}}
	ours := bankCA.Client(t, pix)
	below := bankCA.Authority(t).Client(t, pix) // with the authority between in the handshake
	roots := x509.NewCertPool()
	roots.AddCert(servers.Certificate)
	post := func(certificate *tls.Certificate, h2 bool, method, tail string, headers ...string) answer {
		t.Helper()
		config := &tls.Config{RootCAs: roots}
		if certificate != nil {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
		}
		transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: h2, DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", p.Vendors))
		}}
		defer transport.CloseIdleConnections()
		body := strings.NewReader(`{"pix":[{"endToEndId":"E1"}]}`)
		r, err := http.NewRequest(method, fmt.Sprintf("https://hooks.example.com:%d/v1/discovery/webhooks/bank/%s%s", p.Vendors, minted.Token, tail), body)
		if method == http.MethodGet {
			r, err = http.NewRequest(method, r.URL.String(), nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range headers {
			if name, value, ok := strings.Cut(line, ": "); ok {
				r.Header.Add(name, value)
			}
		}
		response, err := (&http.Client{Transport: transport, Timeout: hookgatetest.Patience}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if h2 != (response.ProtoMajor == 2) {
			t.Errorf("the answer is %s", response.Proto)
		}
		return read(t, response)
	}
	for _, h2 := range []bool{false, true} {
		for _, tail := range []string{"", "/pix", "/rec", "/cobr"} {
			wantStatus(t, post(&ours, h2, http.MethodPost, tail), http.StatusOK)
			if got := u.one(t); got.target != "/v1/discovery/webhooks/bank/"+minted.ID+tail {
				t.Errorf("%s arrives at %s", tail, got.target)
			}
		}
		wantStatus(t, post(&below, h2, http.MethodPost, "/pix"), http.StatusOK)
		u.one(t)
		wantStatus(t, post(&ours, h2, http.MethodGet, ""), http.StatusNoContent)
	}
	otherClient, otherAuthority := bankCA.Client(t, pkix.Name{CommonName: "other.bank.example"}), otherCA.Client(t, pix)
	forServers := bankCA.Server(t, "pix.bank.example")
	for _, tc := range []struct {
		name   string
		with   *tls.Certificate
		method string
		more   string
		result string
	}{
		{"without a certificate", nil, http.MethodPost, "", "cert_missing"},
		{"a probe without one", nil, http.MethodGet, "", "cert_missing"},
		{"of another client of the bank", &otherClient, http.MethodPost, "", "cert_subject"},
		{"of another authority", &otherAuthority, http.MethodPost, "", "cert_untrusted"},
		{"for servers", &forServers, http.MethodPost, "", "cert_untrusted"},
		{"in a header that nobody believes", nil, http.MethodPost, "X-Client-Cert: " + clientcerttest.RFC9440(ours), "cert_missing"},
	} {
		before := metric(t, g, `hookgate_proofs_total{result="`+tc.result+`",vendor="bank"}`)
		wantProblem(t, post(tc.with, false, tc.method, "/pix", tc.more), http.StatusForbidden, "HKG-1403")
		if after := metric(t, g, `hookgate_proofs_total{result="`+tc.result+`",vendor="bank"}`); after != before+1 {
			t.Errorf("%s: no %s is counted", tc.name, tc.result)
		}
		u.wantNothing(t)
	}
	if output := g.Output.String(); !strings.Contains(output, `"proof":"cert_subject"`) || strings.Contains(output, minted.Token) {
		t.Error("the log does not say why, or has the token")
	}

	// A tail that is not configured is no path of the guard.
	wantStatus(t, post(&ours, false, http.MethodPost, "/other"), http.StatusNotFound)

	// A configuration by which no certificate could ever come does not load.
	for want, wrong := range map[string]string{
		"client_auth":     regexp.MustCompile(`(?s)client_auth \{.*?\}`).ReplaceAllString(site, "protocols tls1.2 tls1.3"),
		"trusted_proxies": strings.Replace(site, "client_cert {", "client_cert {\n\t\t\t\tfrom_header X-Client-Cert", 1),
	} {
		g.write(text(wrong))
		_, stderr, code := hookgatetest.Run(t, hookgatetest.Command(dir, "validate", "--config", g.caddyfile(), "--adapter", "caddyfile"))
		if code == 0 || !strings.Contains(stderr, "vendor bank") || !strings.Contains(stderr, want) {
			t.Errorf("validate of a site without %s: %d\n%s", want, code, stderr)
		}
	}
}
