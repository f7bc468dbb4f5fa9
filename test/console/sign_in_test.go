package console

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestSignInRefuses(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	good := o.admin()
	p := open(t, gate)
	for _, c := range []struct{ name, jwt, says string }{
		{"nothing", "", "This is no JWT"},
		{"no JWT", "mcb_not-a-jwt", "This is no JWT"},
		{"no signature", good[:strings.LastIndex(good, ".")], "This is no JWT"},
		{"expired", o.jwt("admin", -time.Hour), "This JWT has expired"},
		{"wrong signature", good[:len(good)-4] + "AAAA", "HKG-2401 · request 0"},
		{"no role", o.jwt("nobody", time.Hour), "HKG-2403 · request 0"},
	} {
		p.fill("#jwt", c.jwt)
		p.click("#sign-in button")
		p.awaitText("#sign-in-problem", c.says)
		if p.visible("#session") || p.visible("#view-credentials") {
			t.Errorf("%s: signed in", c.name)
		}
		if problem := p.text("#sign-in-problem"); c.jwt != "" && strings.Contains(problem, c.jwt) {
			t.Errorf("%s: the message repeats the JWT", c.name)
		}
	}
	p.shot("refused")
}

// TestJWTIsKeptInMemoryOnly: it is nowhere in the page, and a reload forgets it.
func TestJWTIsKeptInMemoryOnly(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	p := open(t, gate)
	jwt := o.admin()
	p.signIn("Bearer " + jwt + "\n")
	p.wantNowhere(jwt)
	p.awaitText("#who-tenant", o.id)
	p.awaitText("#who-role", "admin")
	p.awaitText("#who-expires", "59 min")

	p.do(chromedp.Reload())
	p.await("the page asks again", `document.activeElement?.id === 'jwt'`)
	if p.visible("#session") || p.visible("#view-credentials") {
		t.Error("signed in after a reload")
	}
	p.signIn(jwt)
	p.click("#sign-out")
	p.awaitText("#notice", "Signed out.")
	if p.visible("#session") || p.visible("#view-credentials") || eval[bool](p, "document.querySelector('#jwt').value !== ''") {
		t.Error("signed in after signing out")
	}
	p.wantNowhere(o.id)
}

// skewedClock lets a test put the clock of the page forward.
const skewedClock = `{ const now = Date.now.bind(Date); window.skew = 0; Date.now = () => now() + window.skew; }`

func TestSessionEndsWithTheJWT(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	p := open(t, gate, skewedClock)
	p.signIn(o.admin())
	p.run("skew = 56 * 60_000")
	p.awaitText("#notice", "The JWT expires in 3 min")
	p.run("skew = 61 * 60_000")
	p.awaitText("#notice", "Signed out: the JWT has expired.")
	if p.visible("#session") || p.visible("#view-credentials") {
		t.Error("still signed in")
	}
}

// TestTokenOutlastsTheSession: a token on the screen cannot be had again, so it stays
// until it was put away.
func TestTokenOutlastsTheSession(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	p := open(t, gate, skewedClock)
	p.signIn(o.admin())
	p.click("#mint-open")
	p.submit("#mint")
	token := p.shown("Token")
	p.run("skew = 61 * 60_000")
	p.await("the time has run", `document.querySelector('#who-expires').textContent === 'over'`)
	if p.shown("Token") != token {
		t.Error("the token is gone")
	}
	p.closeSecret()
	p.awaitText("#notice", "Signed out: the JWT has expired.")
	p.wantNowhere(token)
}

func TestViewer(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"JIRA"}`)
	p := open(t, gate)
	p.signIn(o.jwt("viewer", time.Hour))
	p.awaitText("#who-role", "viewer")
	p.awaitText("#credentials-rows", "JIRA")
	if p.visible("#mint-open") || !p.visible("#nav a[href='#/audit']") || !p.visible("#nav a[href='#/verify']") {
		t.Error("a viewer is offered to mint, or not what there is to read")
	}
	p.openCredential(c)
	for _, button := range []string{"#edit-open", "#rotate-open", "#disable-open", "#revoke-open"} {
		if p.visible(button) {
			t.Errorf("a viewer is offered %s", button)
		}
	}
	// What the page hides the server refuses, and the page says so.
	p.run("document.body.dataset.may = 'read readAll mint change'")
	p.click("#revoke-open")
	p.click("#revoke-sure")
	p.submit("#revoke")
	p.awaitText("#revoke .problem", "The role in the bearer token does not allow this operation.")
	p.awaitText("#revoke .trace", "HKG-2403 · request 0")
	if status := o.callback(c.Token); status != 200 {
		t.Errorf("the token: %d", status)
	}
}

// TestMinter: a role that mints for others is offered to mint, to rotate and to finish, and
// nothing that it may not read.
func TestMinter(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"JIRA","verify":{"scheme":"github","secrets":["of the vendor"]}}`)
	p := open(t, gate)
	p.signIn(o.jwt("minter", time.Hour))
	p.awaitText("#who-role", "minter")
	p.goTo("#/credential/" + c.ID)
	p.awaitText("#credential-facts", c.ID)
	for _, hidden := range []string{
		"#nav a[href='#/audit']", "#nav a[href='#/verify']", "#edit-open", "#disable-open", "#revoke-open", "#signing-open", "#history-all", "#rotate-force",
	} {
		if p.visible(hidden) {
			t.Errorf("a minter is offered %s", hidden)
		}
	}
	for _, view := range []string{"#/audit", "#/verify"} {
		p.goTo(view)
		p.await(view+" is nothing to a minter", "!document.querySelector('#view-unknown').hidden")
	}
	p.openMinted("minted by a minter")
	p.goTo("#/credential/" + c.ID)
	p.awaitText("#credential-facts", c.ID)
	p.click("#rotate-open")
	p.submit("#rotate")
	p.shown("Token")
	p.closeSecret()
	p.click("#finish-open")
	p.submit("#finish")
	p.awaitText("#pair-verdict", "The old credential is refused.")
	if problem := p.text("#credential-problem"); problem != "" {
		t.Errorf("what a minter may not read is asked for: %s", problem)
	}
	if status := o.callback(c.Token); status != 401 {
		t.Errorf("the old token: %d", status)
	}
}

// openMinted mints a credential with a scheme at hand, from the list.
func (p *tab) openMinted(label string) {
	p.t.Helper()
	p.goTo("#/credentials")
	p.click("#mint-open")
	p.await("schemes are offered", "document.querySelector('#mint-scheme [value=github]')")
	p.fill("#mint-label", label)
	p.submit("#mint")
	p.shown("Token")
	p.closeSecret()
	p.awaitText("#notice", "Minted: "+label+".")
}
