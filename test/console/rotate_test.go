package console

import (
	"net/http"
	"strings"
	"testing"
)

// TestRotateWithGrace follows a rotation from the first token to the end of its grace.
func TestRotateWithGrace(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	old := o.mint(`{"kind":"callback","label":"JIRA"}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.openCredential(old)
	p.click("#rotate-open")
	p.fill("#rotate-reason", "yearly")
	p.submit("#rotate")
	token := p.shown("Token")
	p.closeSecret()
	p.wantNowhere(token)

	p.awaitText("#notice", "Rotated: JIRA.")
	p.awaitText("#pair-verdict", "Neither has been used since the rotation.")
	p.awaitText("#pair-old", old.ID)
	p.awaitText("#pair-old", "23 h 59 min")
	for _, c := range []struct{ token, says string }{
		{old.Token, "Only the old one has been used since the rotation"}, {token, "Both are used"},
	} {
		if got := o.callback(c.token); got != http.StatusOK {
			t.Fatalf("in the grace: %d", got)
		}
		p.awaitText("#pair-verdict", c.says)
	}
	p.shot("pair")
	p.awaitText("#credential-history", "made by a rotation of "+old.ID+" by alice@example.com – yearly")

	// At most one grace is open, unless the operator says so.
	p.click("#rotate-open")
	p.choose("#rotate-grace", "3600")
	p.submit("#rotate")
	p.awaitText("#rotate .problem", "HKG-2008")
	p.click("#rotate-force")
	p.submit("#rotate")
	newest := p.shown("Token")
	p.closeSecret()
	p.awaitText("#pair-new", o.list()[0].ID)
	p.awaitText("#pair-old", "59 min")
	for token, want := range map[string]int{old.Token: http.StatusUnauthorized, token: http.StatusOK, newest: http.StatusOK} {
		if got := o.callback(token); got != want {
			t.Errorf("after the second rotation: %d, want %d", got, want)
		}
	}

	p.click("#finish-open")
	p.fill("#finish-reason", "everybody has the new one")
	p.submit("#finish")
	p.awaitText("#notice", "The rotation of JIRA is finished: the old credential is revoked.")
	p.awaitText("#pair-verdict", "The old credential is refused.")
	if p.visible("#finish-open") {
		t.Error("what is finished can be finished")
	}
	for token, want := range map[string]int{token: http.StatusUnauthorized, newest: http.StatusOK} {
		if got := o.callback(token); got != want {
			t.Errorf("after the end: %d, want %d", got, want)
		}
	}
	p.await("the exact times stand beside the others", "[...document.querySelectorAll('#credential-facts .exact')].filter((e) => "+exactTime+".test(e.innerText)).length >= 2")
	p.goTo("#/audit")
	p.awaitText("#audit-rows", "everybody has the new one")
	p.awaitText("#audit-rows", "yearly")
}

// TestRotationThatIsOver: the clients have the new token, and the operator is told to
// finish. What the old one was used for before the rotation counts for nothing.
func TestRotationThatIsOver(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	old := o.mint(`{"kind":"callback","label":"JIRA"}`)
	o.use(old)
	p := open(t, gate)
	p.signIn(o.admin())
	p.openCredential(old)
	p.click("#rotate-open")
	p.submit("#rotate")
	token := p.shown("Token")
	p.closeSecret()
	p.awaitText("#pair-verdict", "Neither has been used since the rotation.")
	if got := o.callback(token); got != http.StatusOK {
		t.Fatalf("with the new token: %d", got)
	}
	p.awaitText("#pair-verdict", "Only the new one has been used since the rotation. You can finish.")
	p.shot("decided")
}

func TestRotateAPI(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"api","clientId":"rotated-` + o.id + `","scopes":["products:read"],"secretHash":"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.openCredential(c)
	p.click("#rotate-open")
	p.choose("#rotate-grace", "0")
	p.submit("#rotate")
	secret := p.shown("Client secret")
	p.closeSecret()
	p.wantNowhere(secret)
	r, _ := http.NewRequest("GET", gate.Vendors+"/partners/list", nil)
	r.SetBasicAuth("rotated-"+o.id, secret)
	if got := status(t, "GET", r.URL.String(), "Authorization", r.Header.Get("Authorization")); got != http.StatusOK {
		t.Errorf("the new secret: %d", got)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"leaked"}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.click("#credentials-rows a")
	p.awaitText("#credential-facts", c.ID)
	p.click("#revoke-open")
	p.awaitText("#revoke", "It has never been used.")
	p.fill("#revoke-reason", "in a support ticket")
	p.submit("#revoke") // nothing is confirmed yet
	p.awaitText("#revoke .problem", "Tick the box to confirm.")
	if got := o.callback(c.Token); got != http.StatusOK {
		t.Fatalf("before: %d", got)
	}
	p.click("#revoke-sure")
	p.shot("confirm")
	p.submit("#revoke")
	p.awaitText("#notice", "Revoked: leaked.")
	if got := o.callback(c.Token); got != http.StatusUnauthorized {
		t.Errorf("after: %d", got)
	}
	p.await("the focus is on what is left", "document.activeElement.id === 'credential-title'")
	for _, button := range []string{"#edit-open", "#rotate-open", "#revoke-open"} {
		if p.visible(button) {
			t.Errorf("a revoked credential has %s", button)
		}
	}
	p.goTo("#/audit")
	p.awaitText("#audit-rows", "in a support ticket")
}

func TestEdit(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"one","allowedIps":["10.0.0.0/8"]}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.openCredential(c)
	p.click("#edit-open")
	p.fill("#edit-label", "two")
	p.fill("#edit-ips", "10.0.0.0/33")
	p.submit("#edit")
	p.awaitText("#edit .problem", "allowedIps")
	p.fill("#edit-ips", "")
	p.choose("#edit-expires", "2127-01-02T03:04")
	p.submit("#edit")
	p.awaitText("#notice", "Changed: two.")
	p.awaitText("#credential-title", "two")
	p.awaitText("#credential-facts", "100 years")
	if got := o.callback(c.Token); got != http.StatusOK {
		t.Errorf("from anywhere: %d", got)
	}
	// What it was and what it became, in the history and for all in the audit log.
	for _, change := range []string{"Label: one → two", "Allowed addresses: 10.0.0.0/8 → any", "Expires: never → 2 Jan 2127, 03:04:00"} {
		p.awaitText("#credential-history .changes", change)
	}
	p.goTo("#/audit")
	p.awaitText("#audit-rows .changes", "Label: one → two")
	for column, want := range map[string]string{"Credential": "two", "Who": "127.0.0.1"} {
		if got := p.text("#audit-rows tr:first-child [data-name=" + column + "]"); !strings.Contains(got, want) {
			t.Errorf("%s: %q, and not %s", column, got, want)
		}
	}
	p.shot("changes")
}
