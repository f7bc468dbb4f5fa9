package fronts

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/proof/clientcert/clientcerttest"
)

// passing are the fronts that pass a client's certificate on.
var passing = []front{
	{name: "nginx-client-cert", frame: "nginx.conf", pairs: ofNginx[1:], command: nginx, tls: true},
	{
		name: "haproxy-client-cert", frame: "haproxy.cfg", pairs: [][2]string{{"bind :443", "bind 127.0.0.1:HTTPS"}}, command: haproxy, tls: true,
	},
}

// TestClientCertificates: a vendor behind a proxy is known by the certificate that it shows
// to the proxy, and by nothing that it writes itself.
func TestClientCertificates(t *testing.T) {
	bank, others := clientcerttest.NewAuthority(t), clientcerttest.NewAuthority(t)
	pix := pkix.Name{CommonName: "pix.bank.example"}
	ours, other, untrusted := bank.Client(t, pix), bank.Client(t, pkix.Name{CommonName: "other"}), others.Client(t, pix)
	for _, f := range passing {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, f)
			authorities := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(authorities, bank.PEM, 0o644); err != nil {
				t.Fatal(err)
			}
			if f.frame == "haproxy.cfg" {
				f.pairs = append(f.pairs, [2]string{"/etc/hookgate/bank-ca.pem", authorities})
			}
			block := snippet(t, "hookgate-client-cert")
			from, to := strings.Index(block, "\t\tvendor bank"), strings.Index(block, "\t}\n\thookgate_proxy")
			if from < 0 || to < from {
				t.Fatalf("the page has no vendor bank:\n%s", block)
			}
			vendor := strings.ReplaceAll(block[from:to], "/etc/hookgate/bank-ca.pem", authorities)
			g.caddyfile = strings.Replace(g.caddyfile, "\t\tvendor belvo {", vendor+"\t\tvendor belvo {", 1)
			p := startProxy(t, f, g)
			g.start()
			s := setup{f, g, p}
			s.awaitUp(t)
			token := g.mint("/v1/credentials", `{"kind":"webhook","vendor":"bank","connection":"bank-main"}`)
			post := func(certificate *tls.Certificate, fields ...string) answer {
				trust := p.trust.Clone()
				if certificate != nil {
					trust.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
				}
				return send(trust, p.addr, request{target: "/v1/discovery/webhooks/bank/" + token, fields: fields, body: "{}"})
			}
			// What the client writes is gone.
			forged := []string{"X-Client-Cert: " + clientcerttest.RFC9440(untrusted), "X_Client_Cert: x", "x-client-CERT: y"}
			for _, fields := range [][]string{nil, forged} {
				wantTaken(t, post(&ours, fields...))
				got := g.upstream.one(t)
				for name := range got.header {
					if strings.Contains(strings.ToLower(name), "cert") {
						t.Errorf("%s is at the upstream", name)
					}
				}
			}
			forged[0] = "X-Client-Cert: " + clientcerttest.RFC9440(ours)
			for name, a := range map[string]answer{
				"none": post(nil), "another client's": post(&other), "of another authority": post(&untrusted),
				"none, and one in a header": post(nil, forged...), "none, and PEM in a header": post(nil, "X-Client-Cert: "+clientcerttest.Escaped(ours)),
			} {
				if !wantProblem(t, a, http.StatusForbidden, "HKG-1403") {
					t.Error(name)
				}
			}
			g.upstream.none(t)
			metrics := g.Metrics(t)
			for result, want := range map[string]int{"ok": 2, "cert_missing": 3, "cert_subject": 1, "cert_untrusted": 1} {
				if series := fmt.Sprintf("hookgate_proofs_total{result=%q,vendor=\"bank\"} %d\n", result, want); !strings.Contains(metrics, series) {
					t.Errorf("not in the metrics: %s", series)
				}
			}

			// Somebody who is no trusted proxy, and reaches Hookgate past the proxy.
			past := send(nil, fmt.Sprintf("127.0.0.1:%d", g.ports.Vendors), request{
				target: "/v1/discovery/webhooks/bank/" + token, fields: []string{"X-Client-Cert: " + clientcerttest.RFC9440(ours)}, body: "{}",
			})
			wantProblem(t, past, http.StatusForbidden, "HKG-1403")
			g.upstream.none(t)
		})
	}
}
