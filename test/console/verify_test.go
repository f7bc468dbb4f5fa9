package console

import (
	"strings"
	"testing"
)

// TestVerifyAToken: what the guard makes of a token that somebody has, which does not stay
// in the page.
func TestVerifyAToken(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	live := o.mint(`{"kind":"callback","label":"JIRA","verify":{"scheme":"github","secrets":["of the vendor"]}}`)
	gone := o.mint(`{"kind":"callback","label":"gone"}`)
	o.ask("POST", "/v1/credentials/"+gone.ID+"/revoke", "", new(any))
	if got := o.signed(live.Token, "another"); got != 403 {
		t.Fatalf("a wrong signature: %d", got)
	}
	p := open(t, gate)
	p.signIn(o.admin())
	p.click("#nav a[href='#/verify']")
	p.await("the view is shown", "document.activeElement.id === 'verify-title'")
	for _, c := range []struct{ token, says string }{
		{live.Token, "allowed The guard lets it through."},
		{gone.Token, "revoked The guard refuses it with 401: it was revoked."},
		{newTenant(t).mint(`{"kind":"callback"}`).Token, "unknown The guard refuses it with 401"},
		{"mcb_" + strings.Repeat("A", 49), "malformed The guard refuses it with 401 without looking for it"},
	} {
		p.fill("#verify-token", c.token+"\n")
		p.press("\r")
		p.awaitText("#verify-verdict", c.says)
		p.await("the focus is on the answer", "document.activeElement.id === 'verify-result-title'")
		p.wantNowhere(c.token)
		if c.token == live.Token {
			p.awaitText("#verify-facts", "JIRA")
			p.awaitText("#verify-proofs", "mismatch the signature is wrong")
			p.shot("allowed")
		}
	}
	p.fill("#verify-token", "")
	p.press("\r")
	p.awaitText("#verify-problem", "There is no token in the field.")
	p.fill("#verify-token", live.Token)
	p.click("#verify-form button")
	p.await("a link leads to it", "document.querySelector('#verify-facts a')")
	p.click("#verify-facts a")
	p.awaitText("#credential-title", "JIRA")
	if text := eval[string](p, "document.querySelector('#view-verify').innerText"); strings.Contains(text, "allowed") {
		t.Error("the verdict is still in the page")
	}
}
