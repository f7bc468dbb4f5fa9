package proof_test

import (
	"strings"
	"testing"

	"github.com/hookgate/hookgate/proof"
)

// TestAdyenItems: every item has to be signed, and no text moves from one signed field to another.
func TestAdyenItems(t *testing.T) {
	var v vector
	for _, v = range vectors(t) {
		if v.Preset == "adyen-standard" {
			break
		}
	}
	preset, _ := proof.Named(v.Preset)
	any := verifier(t, preset.Scheme, v.Secret)
	signed := v.Body
	first, rest, _ := strings.Cut(signed, `},{"NotificationRequestItem"`)
	for name, test := range map[string]struct {
		body string
		want proof.Result
	}{
		"as it was signed":             {signed, proof.OK},
		"an unsigned field is another": {strings.Replace(signed, "visa", "mc", 1), proof.OK},
		"another amount":               {strings.Replace(signed, `"value":1130`, `"value":1131`, 1), proof.Mismatch},
		"another amount in the second": {first + `},{"NotificationRequestItem"` + strings.Replace(rest, `"value":0`, `"value":1`, 1), proof.Mismatch},
		"an amount that is no number":  {strings.Replace(signed, `"value":1130`, `"value":"1130"`, 1), proof.Malformed},
		"an item without a signature":  {strings.Replace(signed, "hmacSignature", "signature", 1), proof.Missing},
		"a signature that is none":     {strings.Replace(signed, `"hmacSignature":"`, `"hmacSignature":"!`, 1), proof.Malformed},
		"no items":                     {`{"notificationItems":[]}`, proof.Missing},
		"no JSON":                      {"x", proof.Malformed},
		// The first reader of a name and the last would see another account.
		"a name twice":      {strings.Replace(signed, `"eventCode"`, `"eventCode":"REFUND","eventCode"`, 1), proof.Malformed},
		"a colon in a code": {strings.Replace(signed, "AUTHORISATION", "A:B", 1), proof.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			m := v.message()
			m.Body = []byte(test.body)
			verdict := any.Verify(m)
			if verdict.Result != test.want {
				t.Errorf("%s, want %s", verdict.Result, test.want)
			}
			if event := any.Event(m, verdict); verdict.Result == proof.OK && (event.ID != "" || event.Signed == "") {
				t.Errorf("it is known by %v", event)
			}
		})
	}
}

// TestNeeds: what a guard has to have ready for a scheme.
func TestNeeds(t *testing.T) {
	for _, test := range []struct {
		scheme          string
		body, url, tell bool
	}{
		{"signature header X", true, false, true},
		{"signature header X; signed {url}", false, true, true},
		{"signature header X; signed {url}{form}", true, true, true},
		{"signature header X; signed {method} [{url}]", false, true, true},
		{"signature header X; id body /id; signed {id}", true, false, true},
		{"signature header X; digest query d; signed {url}", true, true, true},
		{"signature body /x; signed {path}", true, false, true},
		{"signature header X; timestamp body /t; signed {timestamp}", true, false, true},
		{"algorithm equal; signature header X", false, false, false},
		{"algorithm equal; signature query x; id body /id", false, false, true},
		{"own adyen-items; key text", true, false, true},
	} {
		any := verifier(t, words(t, test.scheme), "s")
		if any.NeedsBody() != test.body || any.NeedsURL() != test.url || any.Identifies() != test.tell {
			t.Errorf("%s: body %v, URL %v, identifies %v", test.scheme, any.NeedsBody(), any.NeedsURL(), any.Identifies())
		}
	}
	both := append(verifier(t, words(t, "algorithm equal; signature header x-token Y"), "s"), verifier(t, words(t, "signature header Z"), "s")...)
	if got := strings.Join(both.SecretHeaders(), " "); got != "X-Token Y" {
		t.Errorf("the upstream does not see %s", got)
	}
	if slack := responder(t, "slack"); !slack.NeedsBody(&proof.Message{Method: "POST"}) || slack.NeedsBody(&proof.Message{Method: "GET"}) {
		t.Error("slack takes the body of a POST")
	}
	if one, two := verifier(t, words(t, "signature header X"), "s"), verifier(t, words(t, "signature header X"), "s", "t"); one[0].Size() >= two[0].Size() {
		t.Error("two secrets take no more memory than one")
	}
}
