package console

import "testing"

// quickTimers lets a test wait for what ends by itself, in place of those who read it.
const quickTimers = `{ const set = window.setTimeout; window.hurry = 1; window.setTimeout = (f, ms, ...rest) => set(f, ms / window.hurry, ...rest); }`

// TestNotices: what is said ends by itself, and stays in its view.
func TestNotices(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"JIRA"}`)
	p := open(t, gate, quickTimers, skewedClock)
	p.signIn(o.admin())
	p.openCredential(c)
	edit := func(label string) {
		t.Helper()
		p.click("#edit-open")
		p.fill("#edit-label", label)
		p.submit("#edit")
		p.awaitText("#notice", "Changed: "+label+".")
	}
	edit("one")
	p.goTo("#/audit")
	p.await("it does not follow", "!document.querySelector('#notice').hasChildNodes()")
	p.openCredential(c)
	edit("two")
	p.click("#notice button")
	p.await("it can be closed", "!document.querySelector('#notice').hasChildNodes()")
	p.run("hurry = 100")
	p.click("#edit-open")
	p.fill("#edit-label", "three")
	p.run("window.seen = new Promise((seen) => new MutationObserver(() => document.querySelector('#notice').innerText.includes('three') && seen(true)).observe(document.querySelector('#notice'), { childList: true }))")
	p.submit("#edit")
	p.run("seen.then(() => { window.said = true; })")
	p.await("it was said", "window.said")
	p.await("and ends", "!document.querySelector('#notice').hasChildNodes()")

	// A warning stays until it is read, in a colour of its own.
	p.run("skew = 56 * 60_000")
	p.awaitText("#notice .warning", "The JWT expires in 3 min")
	if eval[bool](p, "getComputedStyle(document.querySelector('#notice .warning')).color === getComputedStyle(document.querySelector('.danger')).color") {
		t.Error("a warning looks like an error")
	}
	p.shot("warning")
	p.goTo("#/audit")
	p.await("it does not follow", "!document.querySelector('#notice').hasChildNodes()")
	if !p.visible("#who-expires.warn") {
		t.Error("the header does not warn of the end of the JWT")
	}
}
