package proof_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/proof"
)

// secretsFor returns what signs and what verifies by a scheme.
func secretsFor(t *testing.T, name string, s proof.Scheme) (signs, verifies string) {
	var keys keyPair
	switch {
	case s.Algorithm == "ed25519":
		keys = newEd25519(t)
	case name == "stark":
		keys = newSecp256k1(t)
	case s.Algorithm == "ecdsa-sha256":
		keys = newP256(t)
	case strings.HasPrefix(s.Algorithm, "rsa"):
		keys = newRSA(t)
	case s.Key == "hex":
		return "0a1b2c3d", "0A1B2C3D"
	case strings.HasPrefix(s.Key, "whsec"):
		return "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	default:
		return "a secret", "a secret"
	}
	return keys.private, keys.public
}

// TestSign: what is signed as a vendor is what the vendor's preset verifies.
func TestSign(t *testing.T) {
	for _, preset := range proof.Presets() {
		t.Run(preset.Name, func(t *testing.T) {
			signs, verifies := secretsFor(t, preset.Name, preset.Scheme)
			m := proof.Message{
				Method: "POST", PublicURL: "https://hooks.example.com", Path: "/hooks/hkt_token", RawQuery: "data.id=AB12",
				Header:  map[string][]string{"Content-Type": {"application/json"}},
				Body:    []byte(`{"id":"evt_1","update_id":7,"notificationItems":[{"NotificationRequestItem":{"amount":{"value":1,"currency":"BRL"},"success":"true"}}]}`),
				Arrived: time.Unix(1_800_000_000, 0),
			}
			signed, err := proof.Sign(preset.Scheme, signs, "event-1", m)
			if err != nil {
				t.Fatal(err)
			}
			any := verifier(t, preset.Scheme, verifies)
			verdict := any.Verify(&signed)
			if verdict.Result != proof.OK {
				t.Fatalf("%s", verdict.Result)
			}
			if len(m.Header) != 1 {
				t.Error("the message given was changed")
			}
			again, err := proof.Sign(preset.Scheme, signs, "event-1", m)
			if err != nil {
				t.Fatal(err)
			}
			if first, second := any.Event(&signed, verdict), any.Event(&again, verdict); first != second || first == (proof.Event{}) && any.Identifies() {
				t.Errorf("the same event is %v and %v", first, second)
			}
		})
	}
}

func TestSignRefuses(t *testing.T) {
	named := func(name string) proof.Scheme {
		preset, _ := proof.Named(name)
		return preset.Scheme
	}
	for name, test := range map[string]struct {
		scheme proof.Scheme
		secret string
		body   string
		reason string
	}{
		"without a secret":            {named("stripe"), " ", "{}", "secret: "},
		"a public key":                {named("discord"), newEd25519(t).public, "{}", "secret: "},
		"a private key of another":    {named("discord"), newRSA(t).private, "{}", "secret: "},
		"a secret in another form":    {named("adyen"), "no hex", "{}", "secret: "},
		"a body that is no JSON":      {named("mailgun"), "s", "no JSON", "body: "},
		"a body without items":        {named("adyen-standard"), "aa", "{}", "body: "},
		"a header that is signed":     {proof.Scheme{Signature: proof.Signature{Place: proof.Place{Header: proof.Names{"X-S"}}}, Signed: proof.Templates{"{header.X-Login}{body}"}}, "s", "{}", "signed: "},
		"a scheme that is not valid":  {proof.Scheme{}, "s", "{}", "signature: "},
		"a text in place of an array": {named("mailgun"), "s", `{"signature":"x"}`, "body: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := proof.Sign(test.scheme, test.secret, "1", proof.Message{Method: "POST", Body: []byte(test.body), Arrived: time.Now()})
			if err == nil || !strings.HasPrefix(err.Error(), test.reason) {
				t.Errorf("%v, want %s", err, test.reason)
			}
		})
	}
}
