package console

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"testing"
)

// signed posts a callback as GitHub signs, and returns the guard's status.
func (o tenant) signed(token, secret string) int {
	o.t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("{}")) // what status sends
	return status(o.t, "POST", o.s.Vendors+"/v1/exceptions/7d4f/callback", "X-Callback-Token", token,
		"X-Hub-Signature-256", fmt.Sprintf("sha256=%x", mac.Sum(nil)))
}

// TestSigningSecrets: the secrets that are typed are those that vouch, and leave the page
// with the dialog.
func TestSigningSecrets(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	p := open(t, gate)
	p.signIn(o.admin())
	p.click("#mint-open")
	p.fill("#mint-label", "GitHub")
	p.await("schemes are offered", "document.querySelector('#mint-scheme [value=github]')")
	p.choose("#mint-scheme", "github")
	p.awaitText("#mint-where", "Where the vendor shows it: ")
	p.submit("#mint")
	p.awaitText("#mint .problem", "The secret by which the vendor signs is missing.")
	p.fill("#mint-scheme-secret-1", "console-canary-one\n")
	p.click("#mint [data-more]")
	p.await("the new field has the focus", "document.activeElement.id === 'mint-scheme-secret-2'")
	p.fill("#mint-scheme-secret-2", "console-canary-two")
	p.submit("#mint")
	token := p.shown("Token")
	p.closeSecret()
	c := o.list()[0]
	for secret, want := range map[string]int{"console-canary-one": 200, "console-canary-two": 200, "console-canary-no": 403} {
		if got := o.signed(token, secret); got != want {
			t.Errorf("signed with %s: %d, want %d", secret, got, want)
		}
	}
	p.openCredential(c)
	p.awaitText("#signing-facts", "github")
	p.awaitText("#signing-facts", "Secrets\n2")
	p.await("its proofs are shown", `(document.querySelector('#credential-refresh').click(), ['ok', 'old_secret', 'mismatch'].every((word) => [...document.querySelectorAll('#signing-proofs .badge')].some((b) => b.innerText === word)))`)
	p.shot("proofs")

	p.click("#signing-open")
	p.submit("#signing")
	p.awaitText("#signing .problem", "The new secret is missing.")
	p.fill("#signing-secret", "console-canary-three")
	p.choose("#signing-grace", "3600")
	p.submit("#signing")
	p.awaitText("#notice", "The signing secret of GitHub is replaced.")
	p.awaitText("#signing-facts", "verifies for 59 min")
	p.click("#signing-open")
	p.fill("#signing-secret", "console-canary-four")
	p.submit("#signing")
	p.awaitText("#signing .problem", "HKG-2015")
	p.click("#signing-force")
	p.choose("#signing-grace", "0")
	p.submit("#signing")
	p.await("the grace is over", "!document.querySelector('#signing').open && !document.querySelector('#signing-facts').innerText.includes('verifies for')")
	for secret, want := range map[string]int{"console-canary-one": 403, "console-canary-two": 200, "console-canary-three": 403, "console-canary-four": 200} {
		if got := o.signed(token, secret); got != want {
			t.Errorf("after two changes, signed with %s: %d, want %d", secret, got, want)
		}
	}

	// Another scheme, in JSON.
	p.click("#edit-open")
	p.await("schemes are offered", "document.querySelector('#edit-scheme [value=own]')")
	p.choose("#edit-scheme", "own")
	p.fill("#edit-own", `{"signature":`)
	p.fill("#edit-scheme-secret-1", "console-canary-five")
	p.submit("#edit")
	p.awaitText("#edit .problem", "The scheme is no JSON object.")
	p.fill("#edit-own", `{"signature": {"header": "X-Hub-Signature-256"}, "prefix": "sha256="}`)
	p.submit("#edit")
	p.awaitText("#notice", "Changed: GitHub.")
	p.awaitText("#signing-facts", `"X-Hub-Signature-256"`)
	for secret, want := range map[string]int{"console-canary-four": 403, "console-canary-five": 200} {
		if got := o.signed(token, secret); got != want {
			t.Errorf("by another scheme, signed with %s: %d, want %d", secret, got, want)
		}
	}
	p.click("#edit-open")
	p.choose("#edit-scheme", "none")
	p.submit("#edit")
	p.awaitText("#signing-facts", "as the configuration has it for the vendor")
	if p.visible("#signing-open") {
		t.Error("what has no secret is offered another one")
	}
	if got := o.callback(token); got != http.StatusOK {
		t.Errorf("without a scheme: %d", got)
	}
	p.wantNowhere("console-canary")
}

// TestSigningSecretIsForgotten: a dialog that is left keeps no secret, however it is left.
func TestSigningSecretIsForgotten(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"GitHub","verify":{"scheme":"github","secrets":["of the vendor"]}}`)
	p := open(t, gate, skewedClock)
	p.signIn(o.admin())
	p.click("#mint-open")
	p.await("schemes are offered", "document.querySelector('#mint-scheme [value=stripe]')")
	p.choose("#mint-scheme", "stripe")
	p.fill("#mint-scheme-secret-1", "console-canary")
	p.click("#mint [data-close]")
	p.wantNowhere("console-canary")
	p.openCredential(c)
	p.click("#signing-open")
	p.fill("#signing-secret", "console-canary")
	p.click("#signing [data-close]")
	p.wantNowhere("console-canary")
	p.click("#signing-open")
	p.fill("#signing-secret", "console-canary")
	p.run("skew = 61 * 60_000")
	p.awaitText("#notice", "Signed out")
	p.wantNowhere("console-canary")
}
