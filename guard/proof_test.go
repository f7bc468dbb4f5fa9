package guard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/proof"
)

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// header is a signature that stands in a header, whole.
func header(name string) proof.Signature {
	return proof.Signature{Place: proof.Place{Header: []string{name}}}
}

func verifying(t testing.TB, scheme proof.Scheme, secrets ...string) proof.Any {
	t.Helper()
	program, err := proof.Compile(scheme)
	if err != nil {
		t.Fatal(err)
	}
	given := make([]proof.Secret, len(secrets))
	for i, secret := range secrets {
		given[i].Value = secret
	}
	verifier, err := program.With(given...)
	if err != nil {
		t.Fatal(err)
	}
	return proof.Any{verifier}
}

// heldBody counts how often it is read.
type heldBody struct {
	text string
	err  error
	held int
}

func (b *heldBody) Hold() ([]byte, error) { b.held++; return []byte(b.text), b.err }
func (*heldBody) AtHand() bool            { return false }

// memory is a body that came with the head.
type memory struct{ *heldBody }

func (memory) AtHand() bool { return true }

const (
	event    = `{"event":"paid"}`
	acmeHook = "/v1/discovery/webhooks/acme/" + signedHook
)

// decided takes a request through all checks, as a gate does. Whether its body is at hand makes
// no difference.
func decided(t *testing.T, p *Policy, r ring, req Request, headers map[string][]string, b *heldBody) Decision {
	t.Helper()
	if req.Method == "" {
		req.Method = "POST"
	}
	d := p.Decide(&req, r, now)
	if err := p.Handshake(&d, headers, b); err != nil {
		t.Fatal(err)
	}
	if d.Outcome == Allowed && b.err == nil {
		atHand, held := d, *b
		if err := p.Verify(&atHand, headers, memory{&held}); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if atHand.Outcome != d.Outcome || atHand.Proof != d.Proof || atHand.Reason != d.Reason || atHand.Event != d.Event || atHand.Refuse != d.Refuse {
				t.Errorf("with the body at hand %s, %s, %s", atHand.Outcome, atHand.Proof, atHand.Reason)
			}
		}()
	}
	if d.Outcome == Allowed {
		if err := p.Verify(&d, headers, b); err != nil && !errors.Is(err, b.err) {
			t.Fatal(err)
		}
	}
	if d.Outcome == Allowed {
		p.Recheck(&d, r, now)
	}
	return d
}

// TestProofs: what a vendor and a credential ask for, in the order of token, address and
// proof, and what a request that has some of it gets.
func TestProofs(t *testing.T) {
	scheme := proof.Scheme{Signature: header("X-Signature")}
	mine, theirs := verifying(t, scheme, "mine"), verifying(t, scheme, "block", "older")
	near, far := Peer{Client: netip.MustParseAddr("192.0.2.7")}, Peer{Client: netip.MustParseAddr("198.51.100.1")}
	own := func(key keyring.Key) keyring.Key {
		identity := *key.Identity
		identity.Proves = true
		key.Identity, key.Proof = &identity, mine
		return key
	}
	sealed := func(key keyring.Key) keyring.Key {
		key = own(key)
		key.Proof = nil
		return key
	}
	with := func(signature string) map[string][]string {
		return map[string][]string{"X-Signature": {signature}}
	}
	for _, tc := range []struct {
		name    string
		vendor  VendorPolicy
		key     func(keyring.Key) keyring.Key
		peer    Peer
		headers map[string][]string
		want    Outcome
		proof   proof.Result
		read    bool // the body
	}{
		{"nothing asked", VendorPolicy{}, nil, far, nil, Allowed, "", false},
		{"proven", VendorPolicy{Proof: theirs}, nil, far, with(sign("block", event)), Allowed, proof.OK, true},
		{"by another secret", VendorPolicy{Proof: theirs}, nil, far, with(sign("older", event)), Allowed, proof.OldSecret, true},
		{"by a wrong secret", VendorPolicy{Proof: theirs}, nil, far, with(sign("wrong", event)), BadSignature, proof.Mismatch, true},
		{"without a signature the body is not read", VendorPolicy{Proof: theirs}, nil, far, nil, BadSignature, proof.Missing, false},
		{"nor where it cannot be read", VendorPolicy{Proof: theirs}, nil, far, with("zz"), BadSignature, proof.Malformed, false},
		{"nor where it stands twice", VendorPolicy{Proof: theirs}, nil, far, map[string][]string{"X-Signature": {sign("block", event), sign("block", event)}}, BadSignature, proof.Malformed, false},

		{"by the credential's own", VendorPolicy{}, own, far, with(sign("mine", event)), Allowed, proof.OK, true},
		{"by the block's, where it has its own", VendorPolicy{Proof: theirs}, own, far, with(sign("block", event)), BadSignature, proof.Mismatch, true},
		{"by the own, where the block has one", VendorPolicy{Proof: theirs}, own, far, with(sign("mine", event)), Allowed, proof.OK, true},
		{"its own cannot be opened", VendorPolicy{Proof: theirs}, sealed, far, with(sign("block", event)), Stale, Unsealable, false},
		{"which comes before the address", VendorPolicy{AllowIPs: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}}, sealed, far, nil, Stale, Unsealable, false},

		{"both, and has both", VendorPolicy{AllowIPs: prefix("192.0.2.7/32"), Proof: theirs}, nil, near, with(sign("block", event)), Allowed, proof.OK, true},
		{"both, and has the address", VendorPolicy{AllowIPs: prefix("192.0.2.7/32"), Proof: theirs}, nil, near, nil, BadSignature, proof.Missing, false},
		{"both, and has the proof", VendorPolicy{AllowIPs: prefix("192.0.2.7/32"), Proof: theirs}, nil, far, with(sign("block", event)), SourceIP, "", false},
		{"either, and has the address", VendorPolicy{AllowIPs: prefix("192.0.2.7/32"), Proof: theirs, Either: true}, nil, near, nil, Allowed, "", false},
		{"either, and has the proof", VendorPolicy{AllowIPs: prefix("192.0.2.7/32"), Proof: theirs, Either: true}, nil, far, with(sign("block", event)), Allowed, proof.OK, true},
		{"either, and has none", VendorPolicy{AllowIPs: prefix("192.0.2.7/32"), Proof: theirs, Either: true}, nil, far, with(sign("wrong", event)), BadSignature, proof.Mismatch, true},

		{"unenforced", VendorPolicy{Proof: theirs, Unenforced: true}, nil, far, with(sign("wrong", event)), Allowed, Unenforced, true},
		{"unenforced, and proven", VendorPolicy{Proof: theirs, Unenforced: true}, nil, far, with(sign("block", event)), Allowed, proof.OK, true},
		{"unenforced, the address is", VendorPolicy{AllowIPs: prefix("192.0.2.7/32"), Proof: theirs, Unenforced: true}, nil, far, nil, SourceIP, "", false},
		{"unenforced and either: still one of them", VendorPolicy{AllowIPs: prefix("192.0.2.7/32"), Proof: theirs, Unenforced: true, Either: true}, nil, far, nil, SourceIP, Unenforced, false},
		{"a URL that is not known here", VendorPolicy{Proof: verifying(t, proof.Scheme{Signature: header("X-Signature"), Signed: proof.Templates{"{url}{body}"}}, "block")}, nil, far, with(sign("block", event)), Stale, Unsealable, false},
	} {
		r, p := fullRing(), testPolicy(t)
		p.Vendors["acme"] = &tc.vendor
		if tc.key != nil {
			r.keys[signedHook] = tc.key(r.keys[signedHook])
		}
		b := &heldBody{text: event}
		d := decided(t, &p, r, Request{Target: acmeHook, Peer: tc.peer}, tc.headers, b)
		if d.Outcome != tc.want || d.Proof != tc.proof || (b.held > 0) != tc.read {
			t.Errorf("%s: %s, proof %q, body read %d times; want %s, %q", tc.name, d.Outcome, d.Proof, b.held, tc.want, tc.proof)
		}
		if d.Vendor != "acme" && tc.want != SourceIP {
			t.Errorf("%s: vendor %q", tc.name, d.Vendor)
		}
		// A token that is not live is refused before any of this.
		dead := decided(t, &p, fullRing(), Request{Target: "/v1/discovery/webhooks/acme/unknown-token", Peer: tc.peer}, tc.headers, new(heldBody))
		if dead.Outcome != Unknown || dead.Proof != "" {
			t.Errorf("%s, dead token: %s, proof %q", tc.name, dead.Outcome, dead.Proof)
		}
	}
}

func prefix(text string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(text)} }

// TestCallbackOfAVendor: a callback credential with a vendor is asked what its vendor is.
func TestCallbackOfAVendor(t *testing.T) {
	p, r := testPolicy(t), fullRing()
	user := callbackUser
	user.Vendor = "acme"
	r.keys[callbackToken] = keyring.Key{ID: callbackID, Identity: &user}
	p.Vendors["acme"] = &VendorPolicy{Proof: verifying(t, proof.Scheme{Signature: header("X-Signature")}, "block")}
	req := Request{Target: "/v1/exceptions/x/callback", Tokens: []string{callbackToken}}
	for signature, want := range map[string]Outcome{sign("block", event): Allowed, sign("wrong", event): BadSignature} {
		if d := decided(t, &p, r, req, map[string][]string{"X-Signature": {signature}}, &heldBody{text: event}); d.Outcome != want || d.Kind != credential.KindCallback {
			t.Errorf("%s, want %s", d.Outcome, want)
		}
	}
}

// TestSignedURL: the URL is the public one, with the path and the query as they were posted.
func TestSignedURL(t *testing.T) {
	p := testPolicy(t)
	p.PublicURL = func() string { return "https://hooks.example.com" }
	p.Vendors["acme"] = &VendorPolicy{Proof: verifying(t, proof.Scheme{Signature: header("X-Signature"), Signed: proof.Templates{"{url}{body}"}}, "block")}
	headers := map[string][]string{"X-Signature": {sign("block", "https://hooks.example.com"+acmeHook+"?a=%20b"+event)}}
	for target, want := range map[string]Outcome{acmeHook + "?a=%20b": Allowed, acmeHook: BadSignature} {
		if d := decided(t, &p, fullRing(), Request{Target: target}, headers, &heldBody{text: event}); d.Outcome != want {
			t.Errorf("%s: %s, want %s", target, d.Outcome, want)
		}
	}
}

// TestConstantSecretGoesNoFurther: the place that holds the secret itself is taken away, in
// whatever spelling.
func TestConstantSecretGoesNoFurther(t *testing.T) {
	p := testPolicy(t)
	inHeader := proof.Scheme{Algorithm: "equal", Signature: header("X-Vendor-Token")}
	inQuery := proof.Scheme{Algorithm: "equal", Signature: proof.Signature{Place: proof.Place{Query: "secret"}}}
	p.Vendors["acme"] = &VendorPolicy{Proof: append(verifying(t, inHeader, "constant"), verifying(t, inQuery, "constant")...)}
	headers := map[string][]string{"X-Vendor-Token": {"constant"}, "X_vendor_token": {"x"}, "X-Other": {"y"}}
	d := decided(t, &p, fullRing(), Request{Target: acmeHook + "?a=1&secret=constant&b=2"}, headers, new(heldBody))
	f, err := p.Forwarding(&d, now)
	if d.Outcome != Allowed || err != nil {
		t.Fatalf("%s, %v", d.Outcome, err)
	}
	f.Apply(headers)
	if len(headers["X-Vendor-Token"])+len(headers["X_vendor_token"]) > 0 || len(headers["X-Other"]) != 1 {
		t.Errorf("left are %v", headers)
	}
	if !f.NewQuery || strings.Contains(f.Query, "constant") || !strings.Contains(f.Query, "a=1") || !strings.Contains(f.Query, "b=2") {
		t.Errorf("the query is %q", f.Query)
	}
}

// TestEvents: only what is proven has an identity to be recognised by.
func TestEvents(t *testing.T) {
	p := testPolicy(t)
	vendor := &VendorPolicy{
		Proof: verifying(t, proof.Scheme{Signature: header("X-Signature"), ID: &proof.Place{Header: []string{"X-Event"}}}, "block"), Unenforced: true,
	}
	p.Vendors["acme"] = vendor
	ask := func(signature, id string) Decision {
		return decided(t, &p, fullRing(), Request{Target: acmeHook}, map[string][]string{"X-Signature": {signature}, "X-Event": {id}}, &heldBody{text: event})
	}
	if d := ask(sign("block", event), "1"); d.Replay != 0 || d.Event != (proof.Event{}) {
		t.Errorf("without replay: %+v", d.Event)
	}
	vendor.Replay = time.Minute
	one, other, unproven := ask(sign("block", event), "1"), ask(sign("block", event), "2"), ask(sign("wrong", event), "1")
	if one.Event.ID == "" || one.Event.ID == other.Event.ID || one.Replay != time.Minute {
		t.Errorf("%+v and %+v", one.Event, other.Event)
	}
	if unproven.Outcome != Allowed || unproven.Replay != 0 || unproven.Event != (proof.Event{}) {
		t.Errorf("not proven: %+v", unproven.Event)
	}
}

// TestHandshakes: after the token and the address, before the proof; a GET without the
// vendor's parameter stays a probe.
func TestHandshakes(t *testing.T) {
	answering := func(c proof.Challenge) *Challenge {
		responder, err := c.Responder()
		if err != nil {
			t.Fatal(err)
		}
		return &Challenge{responder, c.Kind}
	}
	meta := answering(proof.Challenge{Kind: "meta", Secret: "verify-token"})
	events := answering(proof.Challenge{Kind: "cloudevents"})
	const asked = acmeHook + "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
	signed := verifying(t, proof.Scheme{Signature: header("X-Signature")}, "block")
	away := Peer{Client: netip.MustParseAddr("198.51.100.1")}
	origin := map[string][]string{"Webhook-Request-Origin": {"eventemitter.example.com"}}
	for _, tc := range []struct {
		name    string
		vendor  VendorPolicy
		req     Request
		headers map[string][]string
		want    Outcome
		body    string // of the answer; "": there is none
	}{
		{"answered", VendorPolicy{Challenge: meta, Proof: signed}, Request{Method: "GET", Target: asked + "verify-token"}, nil, Probe, "1158201444"},
		{"a wrong token", VendorPolicy{Challenge: meta}, Request{Method: "GET", Target: asked + "wrong"}, nil, BadSignature, ""},
		{"a plain GET", VendorPolicy{Challenge: meta}, Request{Method: "GET", Target: acmeHook}, nil, Probe, ""},
		{"a dead token", VendorPolicy{Challenge: meta}, Request{Method: "GET", Target: strings.Replace(asked, signedHook, "unknown-token", 1) + "verify-token"}, nil, Unknown, ""},
		{"from elsewhere", VendorPolicy{Challenge: meta, AllowIPs: prefix("192.0.2.7/32")}, Request{Method: "GET", Target: asked + "verify-token", Peer: away}, nil, SourceIP, ""},
		{"from elsewhere, where the token is enough", VendorPolicy{Challenge: meta, AllowIPs: prefix("192.0.2.7/32"), Proof: signed, Either: true}, Request{Method: "GET", Target: asked + "verify-token", Peer: away}, nil, Probe, "1158201444"},
		{"a plain GET from elsewhere, where one is enough", VendorPolicy{Challenge: meta, AllowIPs: prefix("192.0.2.7/32"), Proof: signed, Either: true}, Request{Method: "GET", Target: acmeHook, Peer: away}, nil, SourceIP, ""},
		{"an event", VendorPolicy{Challenge: meta}, Request{Target: acmeHook}, nil, Allowed, ""},
		{"OPTIONS", VendorPolicy{Challenge: events}, Request{Method: "OPTIONS", Target: acmeHook}, origin, Probe, ""},
		{"OPTIONS from elsewhere, where one is enough", VendorPolicy{Challenge: events, AllowIPs: prefix("192.0.2.7/32"), Proof: signed, Either: true}, Request{Method: "OPTIONS", Target: acmeHook, Peer: away}, origin, SourceIP, ""},
		{"OPTIONS that asks for nothing", VendorPolicy{Challenge: events}, Request{Method: "OPTIONS", Target: acmeHook}, nil, Method, ""},
		{"OPTIONS of another vendor", VendorPolicy{Challenge: meta}, Request{Method: "OPTIONS", Target: acmeHook}, origin, Method, ""},
	} {
		p := testPolicy(t)
		p.Vendors["acme"] = &tc.vendor
		d := decided(t, &p, fullRing(), tc.req, tc.headers, &heldBody{text: event})
		answer := ""
		if d.Answer != nil {
			answer = string(d.Answer.Body)
		}
		if d.Outcome != tc.want || answer != tc.body {
			t.Errorf("%s: %s, %q; want %s, %q", tc.name, d.Outcome, answer, tc.want, tc.body)
		}
		if tc.name == "OPTIONS" && d.Answer.Header["WebHook-Allowed-Origin"] != "eventemitter.example.com" {
			t.Errorf("%s: %v", tc.name, d.Answer.Header)
		}
	}
}
