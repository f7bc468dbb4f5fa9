package console

import (
	"net/http"
	"testing"
)

// TestDisable: a pause, and its end, by buttons that make way for each other.
func TestDisable(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"JIRA"}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.openCredential(c)
	p.click("#disable-open")
	p.awaitText("#disable", "It has never been used.")
	p.fill("#disable-reason", "moving house")
	p.submit("#disable")
	p.awaitText("#notice", "Disabled: JIRA.")
	p.await("the focus is on the way back", "document.activeElement.id === 'enable-open'")
	p.awaitText("#credential-title", "Disabled")
	if p.visible("#disable-open") || p.visible("#rotate-open") || !p.visible("#revoke-open") {
		t.Error("what is disabled can be disabled or rotated, or not be revoked")
	}
	if got := o.callback(c.Token); got != http.StatusUnauthorized {
		t.Errorf("disabled: %d", got)
	}
	p.shot("disabled")
	p.goTo("#/credentials")
	p.awaitLabels("JIRA")
	p.choose("#filter-status", "disabled")
	p.awaitLabels("JIRA")
	p.openCredential(c)
	p.click("#enable-open")
	p.submit("#enable")
	p.awaitText("#notice", "Enabled: JIRA.")
	p.await("the focus is on the way back", "document.activeElement.id === 'disable-open'")
	if got := o.callback(c.Token); got != http.StatusOK {
		t.Errorf("enabled: %d", got)
	}
	p.goTo("#/audit")
	p.choose("#audit-action", "disable")
	p.awaitText("#audit-count", "1 entry")
	p.awaitText("#audit-rows", "moving house")
}
