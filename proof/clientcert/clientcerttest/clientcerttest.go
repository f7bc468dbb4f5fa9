// Package clientcerttest makes certificates for tests.
package clientcerttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Authority signs certificates.
type Authority struct {
	Certificate *x509.Certificate
	PEM         []byte
	key         *ecdsa.PrivateKey
	chain       [][]byte // of an authority that another one has signed, without that one
}

// authorities is when authorities are valid.
var authorities = [2]time.Time{time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)}

// NewAuthority returns a new authority, which is valid from 2020 to 2040.
func NewAuthority(t testing.TB) *Authority { return (*Authority)(nil).Authority(t) }

// Authority returns an authority that a has signed.
func (a *Authority) Authority(t testing.TB) *Authority {
	t.Helper()
	c := a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: authorities[0], NotAfter: authorities[1],
	})
	made := &Authority{Certificate: c.Leaf, PEM: PEM(c), key: c.PrivateKey.(*ecdsa.PrivateKey)}
	if a != nil {
		made.chain = append([][]byte{c.Leaf.Raw}, a.chain...)
	}
	return made
}

// Client returns a certificate for a client of that subject, for an hour before now and an
// hour after it; change may make another one of it.
func (a *Authority) Client(t testing.TB, subject pkix.Name, change ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	of := &x509.Certificate{Subject: subject, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, c := range change {
		c(of)
	}
	return a.sign(t, of)
}

// Server returns a certificate for a server of that name.
func (a *Authority) Server(t testing.TB, name string) tls.Certificate {
	t.Helper()
	return a.sign(t, &x509.Certificate{DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
}

func (a *Authority) sign(t testing.TB, of *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if of.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		t.Fatal(err)
	}
	if of.NotAfter.IsZero() {
		of.NotBefore, of.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent, by := of, key
	var chain [][]byte
	if a != nil {
		parent, by, chain = a.Certificate, a.key, a.chain
	}
	der, err := x509.CreateCertificate(rand.Reader, of, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: append([][]byte{der}, chain...), PrivateKey: key, Leaf: leaf}
}

// PEM returns a certificate in PEM.
func PEM(c tls.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
}

// KeyPEM returns the key of a certificate in PEM.
func KeyPEM(t testing.TB, c tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// RFC9440 returns a certificate as a header has it by RFC 9440.
func RFC9440(c tls.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(c.Certificate[0]) + ":"
}

// Escaped returns a certificate as nginx has it in $ssl_client_escaped_cert.
func Escaped(c tls.Certificate) string {
	return strings.ReplaceAll(url.QueryEscape(string(PEM(c))), "+", "%20")
}
