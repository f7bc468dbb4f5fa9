package fronts

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/hookgate/hookgate/internal/process"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// proxy is a proxy that runs in front of a gate.
type proxy struct {
	front
	Dir         string
	HTTP, HTTPS int // ports
	Modules     string
	Snippet     string

	conf    string      // path of its configuration
	addr    string      // where vendors send to
	trust   *tls.Config // nil: HTTP
	process *process.Process
	output  *process.Output
}

// startProxy runs the snippet of the page in front of a gate until the test ends, and
// returns when it listens.
func startProxy(t *testing.T, f front, g *gate) *proxy {
	t.Helper()
	p := &proxy{front: f, Dir: t.TempDir(), HTTP: hookgatetest.FreePort(t), HTTPS: hookgatetest.FreePort(t), Modules: "/usr/lib/apache2/modules"}
	p.addr = fmt.Sprintf("127.0.0.1:%d", p.HTTP)
	if f.tls {
		p.addr = fmt.Sprintf("127.0.0.1:%d", p.HTTPS)
		p.trust = certify(t, p.Dir)
	}
	p.Snippet = p.replaced(t, g) + f.further
	p.conf = filepath.Join(p.Dir, f.frame)
	frame, err := template.ParseFiles("testdata/" + f.frame)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := frame.Execute(&text, p); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.conf, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	p.process, p.output = hookgatetest.Begin(t, f.command(t, p))
	t.Cleanup(func() {
		// Not at once: it ends processes of its own.
		p.process.Signal(syscall.SIGTERM)
		p.process.Wait(10 * time.Second)
	})
	err = p.process.Await(hookgatetest.Patience, func() bool {
		conn, err := net.Dial("tcp", p.addr)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
	if err != nil {
		t.Fatalf("%s %v", f.name, err)
	}
	return p
}

// replaced is the snippet as it runs here. What it does not replace is run as a reader
// copies it.
func (p *proxy) replaced(t *testing.T, g *gate) string {
	t.Helper()
	pairs := []string{
		"hookgate:8080", fmt.Sprintf("127.0.0.1:%d", g.ports.Vendors),
		"/etc/ssl/hooks", filepath.Join(p.Dir, "hooks"),
	}
	ports := strings.NewReplacer("HTTPS", fmt.Sprint(p.HTTPS), "HTTP", fmt.Sprint(p.HTTP), "GATE", fmt.Sprint(g.ports.Vendors), "STATUS", fmt.Sprint(g.ports.Status))
	text := snippet(t, p.name)
	for _, pair := range p.pairs {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("%s has no %q", p.name, pair[0])
		}
		pairs = append(pairs, pair[0], ports.Replace(pair[1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// send sends a request of a vendor through the proxy.
func (p *proxy) send(r request) answer { return send(p.trust, p.addr, r) }

// certify makes a certificate for the host in dir, and returns what trusts it.
func certify(t *testing.T, dir string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	for name, text := range map[string][]byte{"hooks.pem": certPEM, "hooks.key": keyPEM, "hooks-and-key.pem": append(bytes.Clone(certPEM), keyPEM...)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return &tls.Config{RootCAs: roots, ServerName: host, NextProtos: []string{"http/1.1"}}
}
