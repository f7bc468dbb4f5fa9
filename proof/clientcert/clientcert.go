// Package clientcert tells whether a request came with the TLS certificate of somebody who
// is known: the certificate of the connection, or one that a proxy passes on in a header.
// It does no I/O.
package clientcert

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"sync"
	"time"

	"github.com/hookgate/hookgate/proof"
)

// Results beyond [proof.OK].
const (
	Missing   proof.Result = "cert_missing"
	Malformed proof.Result = "cert_malformed" // it cannot be read, or is larger than any is
	Expired   proof.Result = "cert_expired"   // it or its authority is, or not valid yet
	Untrusted proof.Result = "cert_untrusted" // of no authority that counts, or not for clients
	Subject   proof.Result = "cert_subject"   // of somebody else
)

const (
	// maxCertificate is the largest certificate in bytes of DER, and maxChain how many a
	// client may send. Checking a chain takes time that grows with both.
	maxCertificate = 8 << 10
	maxChain       = 8
	// maxKnown is how many certificates are remembered.
	maxKnown = 1024
)

// Verifier tells whose certificate counts.
type Verifier struct {
	roots    *x509.CertPool
	subjects []pattern

	mu sync.Mutex
	// known are the certificates that counted, by their digest, and until when they do:
	// checking a signature costs more than all else that is done for a request.
	known map[[sha256.Size]byte]span
}

// span is a time within which every certificate of a chain is valid.
type span struct{ from, until time.Time }

func (s span) has(t time.Time) bool { return !t.Before(s.from) && !t.After(s.until) }

// New returns the Verifier for clients whose certificate an authority in authorities, which
// is PEM, has signed for one of the subjects.
func New(authorities []byte, subjects []string) (*Verifier, error) {
	v := &Verifier{roots: x509.NewCertPool(), known: make(map[[sha256.Size]byte]span)}
	n := 0
	for block, rest := pem.Decode(authorities); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, errors.New("the file of the authorities holds something else than certificates")
		}
		authority, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("the file of the authorities holds a certificate that cannot be read")
		}
		v.roots.AddCert(authority)
		n++
	}
	if n == 0 {
		return nil, errors.New("the file of the authorities holds no certificate in PEM")
	}
	if len(subjects) == 0 {
		return nil, errors.New("subject is missing: whoever else has a certificate of the same authority would pass; write subject * if all of them may")
	}
	for _, text := range subjects {
		p, err := parsePattern(text)
		if err != nil {
			return nil, err
		}
		v.subjects = append(v.subjects, p)
	}
	return v, nil
}

// Presented judges what the client of a connection presented, its own certificate first.
// TLS has proved by then that it holds the key.
func (v *Verifier) Presented(chain []*x509.Certificate, now time.Time) proof.Result {
	if len(chain) == 0 {
		return Missing
	}
	if len(chain) > maxChain {
		return Malformed
	}
	hash := sha256.New()
	for _, c := range chain {
		if len(c.Raw) > maxCertificate {
			return Malformed
		}
		hash.Write(c.Raw) // DER says where it ends
	}
	var digest [sha256.Size]byte
	hash.Sum(digest[:0])
	if v.knows(digest, now) {
		return proof.OK
	}
	return v.judge(digest, chain, now)
}

// PassedOn judges what a proxy passed on, from the lines of its header. That the client
// holds the key is the word of the proxy.
func (v *Verifier) PassedOn(lines []string, now time.Time) proof.Result {
	switch {
	case len(lines) == 0 || len(lines) == 1 && isNone(lines[0]):
		return Missing
	case len(lines) > 1 || len(lines[0]) > maxHeader:
		return Malformed
	}
	digest := sha256.Sum256([]byte(lines[0]))
	if v.knows(digest, now) {
		return proof.OK
	}
	certificate, err := parseHeader(lines[0])
	if err != nil {
		return Malformed
	}
	return v.judge(digest, []*x509.Certificate{certificate}, now)
}

func (v *Verifier) knows(digest [sha256.Size]byte, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.known[digest].has(now)
}

// judge checks a chain, and remembers it under a digest where it counts.
func (v *Verifier) judge(digest [sha256.Size]byte, chain []*x509.Certificate, now time.Time) proof.Result {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	verified, err := chain[0].Verify(x509.VerifyOptions{
		Roots: v.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Expired
	case err != nil:
		return Untrusted
	case !v.isFor(chain[0]):
		return Subject
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= maxKnown {
		clear(v.known)
	}
	v.known[digest] = longest(verified)
	return proof.OK
}

// longest returns the time that the chain has which is valid for longest.
func longest(chains [][]*x509.Certificate) (best span) {
	for _, chain := range chains {
		s := span{chain[0].NotBefore, chain[0].NotAfter}
		for _, c := range chain[1:] {
			if c.NotBefore.After(s.from) {
				s.from = c.NotBefore
			}
			if c.NotAfter.Before(s.until) {
				s.until = c.NotAfter
			}
		}
		if s.until.After(best.until) {
			best = s
		}
	}
	return best
}
