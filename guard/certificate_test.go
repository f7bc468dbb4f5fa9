package guard

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/netip"
	"testing"
	"time"

	"github.com/hookgate/hookgate/proof"
	"github.com/hookgate/hookgate/proof/clientcert"
	"github.com/hookgate/hookgate/proof/clientcert/clientcerttest"
)

const certHeader = "X-Client-Cert"

// certificates is an authority whose client "pix" is the vendor.
type certificates struct {
	*clientcerttest.Authority
	pix, other tls.Certificate
}

func newCertificates(t testing.TB) certificates {
	a := clientcerttest.NewAuthority(t)
	now := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour) }
	return certificates{a, a.Client(t, pkix.Name{CommonName: "pix"}, now), a.Client(t, pkix.Name{CommonName: "other"}, now)}
}

func (c certificates) wanted(t testing.TB, fromHeader string) *ClientCert {
	t.Helper()
	v, err := clientcert.New(c.PEM, []string{"CN=pix"})
	if err != nil {
		t.Fatal(err)
	}
	return &ClientCert{Verifier: v, FromHeader: fromHeader}
}

// TestClientCertificates: what a certificate is worth beside addresses and proofs, for events
// and for probes.
func TestClientCertificates(t *testing.T) {
	made := newCertificates(t)
	pinned := made.wanted(t, "")
	signature := verifying(t, proof.Scheme{Signature: header("X-Signature")}, "block")
	near, far := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("198.51.100.1")
	list := prefix("192.0.2.7/32")
	good := map[string][]string{"X-Signature": {sign("block", event)}}
	for _, tc := range []struct {
		name    string
		vendor  VendorPolicy
		client  netip.Addr
		with    *tls.Certificate
		headers map[string][]string
		want    Outcome
		proof   proof.Result
		probe   Outcome // of a GET of the same client
	}{
		{"its own", VendorPolicy{ClientCert: pinned}, far, &made.pix, nil, Allowed, proof.OK, Probe},
		{"none", VendorPolicy{ClientCert: pinned}, far, nil, nil, BadSignature, clientcert.Missing, BadSignature},
		{"another's", VendorPolicy{ClientCert: pinned}, far, &made.other, nil, BadSignature, clientcert.Subject, BadSignature},

		{"and an address", VendorPolicy{ClientCert: pinned, AllowIPs: list}, near, &made.pix, nil, Allowed, proof.OK, Probe},
		{"but not the address", VendorPolicy{ClientCert: pinned, AllowIPs: list}, far, &made.pix, nil, SourceIP, "", SourceIP},
		{"the address alone", VendorPolicy{ClientCert: pinned, AllowIPs: list}, near, nil, nil, BadSignature, clientcert.Missing, BadSignature},
		{"and a signature", VendorPolicy{ClientCert: pinned, Proof: signature}, far, &made.pix, good, Allowed, proof.OK, Probe},
		{"but no signature", VendorPolicy{ClientCert: pinned, Proof: signature}, far, &made.pix, nil, BadSignature, proof.Missing, Probe},
		{"the signature alone", VendorPolicy{ClientCert: pinned, Proof: signature}, far, nil, good, BadSignature, clientcert.Missing, BadSignature},

		{"either: the address", VendorPolicy{ClientCert: pinned, AllowIPs: list, Either: true}, near, nil, nil, Allowed, "", Probe},
		{"either: the certificate", VendorPolicy{ClientCert: pinned, AllowIPs: list, Either: true}, far, &made.pix, nil, Allowed, proof.OK, Probe},
		{"either: none of them", VendorPolicy{ClientCert: pinned, AllowIPs: list, Either: true}, far, &made.other, nil, BadSignature, clientcert.Subject, BadSignature},
		{"either of three: the signature", VendorPolicy{ClientCert: pinned, AllowIPs: list, Proof: signature, Either: true}, far, nil, good, Allowed, proof.OK, SourceIP},
		{"either of three: the certificate", VendorPolicy{ClientCert: pinned, AllowIPs: list, Proof: signature, Either: true}, far, &made.pix, nil, Allowed, proof.OK, Probe},
		{"either of three: none of them", VendorPolicy{ClientCert: pinned, AllowIPs: list, Proof: signature, Either: true}, far, nil, nil, BadSignature, proof.Missing, SourceIP},

		{"either, and no address: the signature", VendorPolicy{ClientCert: pinned, Proof: signature, Either: true}, far, nil, good, Allowed, proof.OK, SourceIP},
		{"either, and no address: the certificate", VendorPolicy{ClientCert: pinned, Proof: signature, Either: true}, far, &made.pix, nil, Allowed, proof.OK, Probe},
		{"either, and no address: another's certificate", VendorPolicy{ClientCert: pinned, Proof: signature, Either: true}, far, &made.other, nil, BadSignature, proof.Missing, SourceIP},
		{"either, and no address: none of them", VendorPolicy{ClientCert: pinned, Proof: signature, Either: true}, near, nil, nil, BadSignature, proof.Missing, SourceIP},

		{"unenforced", VendorPolicy{ClientCert: pinned, Unenforced: true}, far, nil, nil, Allowed, Unenforced, Probe},
		{"unenforced, and its own", VendorPolicy{ClientCert: pinned, Unenforced: true}, far, &made.pix, nil, Allowed, proof.OK, Probe},
		{"unenforced, with a signature that is right", VendorPolicy{ClientCert: pinned, Proof: signature, Unenforced: true}, far, nil, good, Allowed, Unenforced, Probe},
		{"unenforced and either: still one of them", VendorPolicy{ClientCert: pinned, AllowIPs: list, Unenforced: true, Either: true}, far, nil, nil, SourceIP, Unenforced, SourceIP},
	} {
		p := testPolicy(t)
		p.Vendors["acme"] = &tc.vendor
		peer := Peer{Client: tc.client}
		if tc.with != nil {
			peer.Certificates = []*x509.Certificate{tc.with.Leaf}
		}
		d := decided(t, &p, fullRing(), Request{Target: acmeHook, Peer: peer}, tc.headers, &heldBody{text: event})
		if d.Outcome != tc.want || d.Proof != tc.proof {
			t.Errorf("%s: %s, proof %q; want %s, %q", tc.name, d.Outcome, d.Proof, tc.want, tc.proof)
		}
		if d.Outcome == BadSignature && d.Reason != tc.proof {
			t.Errorf("%s: the reason is %q", tc.name, d.Reason)
		}
		if d := decided(t, &p, fullRing(), Request{Method: "GET", Target: acmeHook, Peer: peer}, nil, new(heldBody)); d.Outcome != tc.probe {
			t.Errorf("%s, a probe: %s, want %s", tc.name, d.Outcome, tc.probe)
		}
		if d := decided(t, &p, fullRing(), Request{Target: "/v1/discovery/webhooks/acme/unknown-token", Peer: peer}, tc.headers, new(heldBody)); d.Outcome != Unknown || d.Proof != "" {
			t.Errorf("%s, dead token: %s, proof %q", tc.name, d.Outcome, d.Proof)
		}
	}
}

// TestCertificateInAHeader: a trusted proxy alone says in a header which certificate a client
// has, and nothing of it goes further, whoever wrote it.
func TestCertificateInAHeader(t *testing.T) {
	made := newCertificates(t)
	p := testPolicy(t)
	p.Vendors["acme"] = &VendorPolicy{ClientCert: made.wanted(t, certHeader)}
	p.CertHeaders, p.PassHeaders = []string{certHeader}, []string{certHeader, "X_client_cert"}
	mine := []*x509.Certificate{made.pix.Leaf}
	for _, tc := range []struct {
		name string
		peer Peer
		line []string
		want proof.Result
	}{
		{"RFC 9440", Peer{Trusted: true}, []string{clientcerttest.RFC9440(made.pix)}, proof.OK},
		{"nginx", Peer{Trusted: true}, []string{clientcerttest.Escaped(made.pix)}, proof.OK},
		{"of another client", Peer{Trusted: true}, []string{clientcerttest.Escaped(made.other)}, clientcert.Subject},
		{"from somebody", Peer{}, []string{clientcerttest.Escaped(made.pix)}, clientcert.Missing},
		{"from somebody with the certificate", Peer{Certificates: mine}, []string{clientcerttest.Escaped(made.pix)}, clientcert.Missing},
		{"in the connection of the proxy", Peer{Trusted: true, Certificates: mine}, nil, clientcert.Missing},
		{"twice", Peer{Trusted: true}, []string{clientcerttest.Escaped(made.pix), clientcerttest.Escaped(made.other)}, clientcert.Malformed},
	} {
		headers := map[string][]string{certHeader: tc.line, "X_client_cert": tc.line, "X-Other": {"y"}}
		d := decided(t, &p, fullRing(), Request{Target: acmeHook, Peer: tc.peer, Header: headers}, headers, new(heldBody))
		if d.Proof != tc.want || (d.Outcome == Allowed) != (tc.want == proof.OK) {
			t.Errorf("%s: %s, %s, want %s", tc.name, d.Outcome, d.Proof, tc.want)
		}
	}
	// Of other vendors, too.
	headers := map[string][]string{certHeader: {clientcerttest.Escaped(made.pix)}, "X_client_cert": {"x"}, "X-Other": {"y"}}
	d := decided(t, &p, fullRing(), Request{Target: webhookPath + webhookToken, Header: headers}, headers, new(heldBody))
	f, err := p.Forwarding(&d, now)
	if d.Outcome != Allowed || err != nil {
		t.Fatalf("%s, %v", d.Outcome, err)
	}
	if f.Apply(headers); len(headers[certHeader])+len(headers["X_client_cert"]) > 0 || len(headers["X-Other"]) != 1 {
		t.Errorf("left are %v", headers)
	}
}
