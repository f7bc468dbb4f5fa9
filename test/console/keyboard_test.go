package console

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestKeyboardAlone signs in, mints and puts the token away without a mouse.
func TestKeyboardAlone(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	p := open(t, gate)
	p.fill("#jwt", o.admin()) // as pasted
	p.press("\r")
	p.await("the focus is on the view", "document.activeElement.id === 'credentials-title'")
	p.tabTo("#mint-open")
	p.press("\r")
	p.await("the dialog has the focus", "document.activeElement.closest('#mint')")
	p.tabTo("#mint-label")
	p.press("keyboard")
	p.press(kb.Escape)
	p.await("Escape closes", "!document.querySelector('#mint').open && document.activeElement.id === 'mint-open'")
	p.press("\r")
	p.tabTo("#mint-label")
	p.press("keyboard")
	p.press("\r")
	token := p.shown("Token")
	p.press(kb.Escape)
	p.awaitText("#secret-said", "Store it first")
	p.tabTo("#secret-close")
	p.press("\r")
	p.await("the focus is back", "!document.querySelector('#secret').open && document.activeElement.id === 'mint-open'")
	p.wantNowhere(token)
	p.awaitText("#credentials-rows", "keyboard")

	// From the top of the page past the header, and into the credential.
	p.run("document.activeElement.blur()")
	p.run("document.querySelector('#skip').focus()")
	p.press("\r")
	p.await("the header is skipped", "document.activeElement.id === 'main' && location.hash === '#/credentials'")
	p.tabTo("#credentials-rows a")
	p.press("\r")
	p.await("the focus is on the credential", "document.activeElement.id === 'credential-title'")
}

// TestKeyboardChanges filters, edits, rotates, finishes and revokes without a mouse.
func TestKeyboardChanges(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	o.mint(`{"kind":"webhook","label":"bank","vendor":"belvo","connection":"belvo-main"}`)
	old := o.mint(`{"kind":"callback","label":"JIRA"}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitLabels("JIRA bank")
	p.tabTo("#search")
	p.press("BAN\r")
	p.awaitLabels("bank")
	p.press(kb.Backspace + kb.Backspace + kb.Backspace + "\r")
	p.awaitLabels("JIRA bank")
	p.tabTo("#filter-kind")
	p.press("W")
	p.awaitLabels("bank")
	p.press(kb.ArrowUp)
	p.awaitLabels("JIRA")
	p.tabTo("#filter-status")
	p.press(kb.End)
	p.awaitLabels("")
	p.press(kb.Home)
	p.awaitLabels("JIRA")
	p.tabTo("#filter-unused")
	p.press(kb.ArrowDown)
	p.await("it is unused", "document.querySelector('#filter-unused').value === '30'")
	p.awaitLabels("JIRA")
	p.tabTo("#credentials-rows a")
	p.press("\r")
	p.awaitText("#credential-facts", old.ID)

	p.tabTo("#edit-open")
	p.press("\r")
	p.await("the label has the focus", "document.activeElement.id === 'edit-label'")
	p.press(kb.End + " 2")
	p.tabTo("#edit button.primary")
	p.press("\r")
	p.awaitText("#notice", "Changed: JIRA 2.")
	p.await("the focus is back", "document.activeElement.id === 'edit-open'")

	p.tabTo("#rotate-open")
	p.press("\r")
	p.await("the grace has the focus", "document.activeElement.id === 'rotate-grace'")
	p.tabTo("#rotate-reason")
	p.press("yearly\r")
	token := p.shown("Token")
	p.tabTo("#secret-close")
	p.press("\r")
	p.awaitText("#pair-verdict", "Neither has been used")

	p.tabTo("#finish-open")
	p.press("\r")
	p.await("the reason has the focus", "document.activeElement.id === 'finish-reason'")
	p.tabTo("#finish button.primary")
	p.press("\r")
	p.awaitText("#pair-verdict", "The old credential is refused.")
	p.await("the focus is on what is left", "document.activeElement.id === 'pair-title'")

	p.run("document.querySelector('#credential-title').focus()")
	p.tabTo("#revoke-open")
	p.press("\r")
	p.await("the reason has the focus", "document.activeElement.id === 'revoke-reason'")
	p.tabTo("#revoke-sure")
	p.press(" ")
	p.tabTo("#revoke button.primary")
	p.press("\r")
	p.awaitText("#notice", "Revoked: JIRA 2.")
	for _, token := range []string{old.Token, token} {
		if got := o.callback(token); got != http.StatusUnauthorized {
			t.Errorf("at the end: %d", got)
		}
	}
}

// TestKeyboardVerifies verifies a token, gives a credential another signing secret, and disables and
// enables it without a mouse.
func TestKeyboardVerifies(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"GitHub","verify":{"scheme":"github","secrets":["of the vendor"]}}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.run("document.querySelector('#skip').focus()")
	p.tabTo("#nav a[href='#/verify']")
	p.press("\r")
	p.await("the focus is on the view", "document.activeElement.id === 'verify-title'")
	p.tabTo("#verify-token")
	p.press(c.Token + "\r")
	p.awaitText("#verify-verdict", "allowed")
	p.tabTo("#verify-facts a")
	p.press("\r")
	p.awaitText("#credential-facts", c.ID)

	p.tabTo("#disable-open")
	p.press("\r")
	p.await("the reason has the focus", "document.activeElement.id === 'disable-reason'")
	p.press("moving house\r")
	p.await("the focus is on the way back", "document.activeElement.id === 'enable-open'")
	p.press("\r")
	p.await("the reason has the focus", "document.activeElement.id === 'enable-reason'")
	p.press("\r")
	p.await("the focus is on the way back", "document.activeElement.id === 'disable-open'")

	p.tabTo("#signing-open")
	p.press("\r")
	p.await("the secret has the focus", "document.activeElement.id === 'signing-secret'")
	p.press("another")
	p.tabTo("#signing button.primary")
	p.press("\r")
	p.awaitText("#signing-facts", "verifies for 23 h 59 min")
	p.await("the focus is back", "document.activeElement.id === 'signing-open'")
	if got := o.signed(c.Token, "another"); got != http.StatusOK {
		t.Errorf("with the new secret: %d", got)
	}
	p.run("document.querySelector('#skip').focus()")
	p.tabTo("#notice button")
	p.press("\r")
	p.await("the message is closed", "!document.querySelector('#notice').hasChildNodes()")
}
