package console

import (
	"net/http"
	"strings"
	"testing"
	"time"
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

// TestLastRefusals: whoever asks why a vendor is turned away sees when, why and from where.
func TestLastRefusals(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"JIRA","allowedIps":["203.0.113.0/24"]}`)
	if got := o.callback(c.Token); got != http.StatusForbidden {
		t.Fatalf("from here: %d", got)
	}
	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitLabels("JIRA")
	if got := p.text("#credentials-rows .token-hint"); got != c.Token[:8]+"…" {
		t.Errorf("the list shows %q of the token", got)
	}
	p.openCredential(c)
	p.await("the refusal is shown", "(document.querySelector('#credential-refresh').click(), document.querySelector('#credential-refusals').innerText.includes('source_ip'))")
	if got := p.text("#credential-refusals"); !strings.Contains(got, "the address is not allowed from 127.0.0.1") {
		t.Errorf("it says %q", got)
	}
	p.shot("refused")
}

// TestEndsSoon: what ends within some days, so that it can be rotated before.
func TestEndsSoon(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	near := o.mint(`{"kind":"callback","label":"near","expiresAt":"` + in(73*time.Hour) + `"}`)
	o.mint(`{"kind":"callback","label":"far","expiresAt":"` + in(60*24*time.Hour) + `"}`)
	never := o.mint(`{"kind":"callback","label":"never"}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitLabels("never far near")
	for days, want := range map[string]string{"7": "near", "30": "near", "90": "far near", "": "never far near"} {
		p.choose("#filter-ends", days)
		p.awaitLabels(want)
	}
	p.choose("#filter-ends", "7")
	p.search(never.ID, "")
	p.search(near.ID, "near")
}
