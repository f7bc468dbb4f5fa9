package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certificates are PEM files of an authority of the test's own, and of a server and a
// client that it vouches for.
type Certificates struct {
	CA                    string
	ServerCert, ServerKey string
	ClientCert, ClientKey string

	config *tls.Config
}

// WithTLS makes the server take TLS connections only, of clients with a certificate.
func WithTLS(c *Certificates) Option { return func(s *Server) { s.secure = c } }

// NewCertificates writes certificates for 127.0.0.1, or for a name instead.
func NewCertificates(t testing.TB, name ...string) *Certificates {
	t.Helper()
	addresses, verified := []net.IP{net.IPv4(127, 0, 0, 1)}, "127.0.0.1"
	if len(name) > 0 {
		addresses, verified = nil, name[0]
	}
	dir := t.TempDir()
	authority := issue(t, nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	server := issue(t, authority, &x509.Certificate{
		Subject: pkix.Name{CommonName: "redis"}, IPAddresses: addresses, DNSNames: name,
		// Replicas and cluster nodes are clients of each other.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	client := issue(t, authority, &x509.Certificate{
		Subject: pkix.Name{CommonName: "hookgate"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	c := &Certificates{config: &tls.Config{RootCAs: x509.NewCertPool(), ServerName: verified}}
	c.CA, _ = authority.write(t, dir, "ca")
	c.ServerCert, c.ServerKey = server.write(t, dir, "server")
	c.ClientCert, c.ClientKey = client.write(t, dir, "client")
	c.config.RootCAs.AddCert(authority.certificate)
	c.config.Certificates = []tls.Certificate{{Certificate: [][]byte{client.certificate.Raw}, PrivateKey: client.key}}
	return c
}

// Replace puts other certificates in the place of these.
func (c *Certificates) Replace(t testing.TB, by *Certificates) {
	t.Helper()
	for to, from := range map[string]string{
		c.CA: by.CA, c.ServerCert: by.ServerCert, c.ServerKey: by.ServerKey, c.ClientCert: by.ClientCert, c.ClientKey: by.ClientKey,
	} {
		pem, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, pem, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// client returns what a client of the test's own needs; nil for no TLS.
func (c *Certificates) client() *tls.Config {
	if c == nil {
		return nil
	}
	return c.config.Clone()
}

type issued struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issue signs a certificate with the authority's key, or with its own without one.
func issue(t testing.TB, authority *issued, template *x509.Certificate) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if authority == nil {
		authority = &issued{certificate: template, key: key}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, authority.certificate, key.Public(), authority.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{certificate: certificate, key: key}
}

func (i *issued) write(t testing.TB, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: i.certificate.Raw},
		keyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
