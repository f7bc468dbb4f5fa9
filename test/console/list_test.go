package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestListPages(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	o.many(120)
	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitText("#credentials-count", "50 credentials, and more")
	p.click("#credentials-more")
	p.awaitText("#credentials-count", "100 credentials, and more")
	p.click("#credentials-more")
	p.awaitText("#credentials-count", "120 credentials")
	if p.visible("#credentials-more") {
		t.Error("more is offered after the last page")
	}
	if n := eval[int](p, "new Set([...document.querySelectorAll('#credentials-rows a')].map((a) => a.href)).size"); n != 120 {
		t.Errorf("%d credentials of 120", n)
	}
}

// TestListShowsWhatEnds: what ends soon, or has ended, is warned of.
func TestListShowsWhatEnds(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	o.mint(`{"kind":"callback","label":"near","expiresAt":"` + in(73*time.Hour) + `"}`)
	o.mint(`{"kind":"callback","label":"far","expiresAt":"` + in(100*24*time.Hour) + `"}`)
	o.mint(`{"kind":"callback","label":"never"}`)
	rotated := o.mint(`{"kind":"callback","label":"rotated","expiresAt":"` + in(100*24*time.Hour) + `"}`)
	o.ask("POST", "/v1/credentials/"+rotated.ID+"/rotate", `{"gracePeriodSeconds":604800}`, new(any))
	p := open(t, gate, skewedClock)
	p.signIn(o.jwt("admin", 180*24*time.Hour))
	p.awaitText("#credentials-count", "5 credentials")
	for label, want := range map[string]string{"near": "in 3 days (soon)", "far": "in 99 days", "never": "never"} {
		if got := p.cell(label, "Expires"); got != want {
			t.Errorf("%s expires %q, want %q", label, got, want)
		}
	}
	p.choose("#filter-status", "grace")
	p.awaitLabels("rotated")
	if got := p.cell("rotated", "Expires"); got != "in 6 days (grace ends)" {
		t.Errorf("what is in its grace expires %q", got)
	}
	p.choose("#filter-status", "")
	p.await("all are back", rowCount+" === 5")
	p.run("skew = 75 * 3_600_000")
	p.search("near", "near")
	if got := p.cell("near", "Expires"); got != "2 hours ago (expired)" {
		t.Errorf("what has ended expires %q", got)
	}
	if title := eval[string](p, "document.querySelector('#credentials-rows time').title"); !strings.Contains(title, fmt.Sprint(time.Now().Year())) {
		t.Errorf("the full time is %q", title)
	}
}

// TestTimesGoOn: a list that stays on the screen does not say "just now" for ever.
func TestTimesGoOn(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"JIRA"}`)
	o.use(c)
	p := open(t, gate, skewedClock)
	p.signIn(o.admin())
	for minutes, want := range map[int]string{15: "15 minutes ago", 45: "45 minutes ago"} {
		p.run(fmt.Sprintf("skew = %d * 60_000", minutes))
		for _, column := range []string{"Last used", "Created"} {
			p.await(column+" goes on", fmt.Sprintf("document.querySelector('#credentials-rows [data-name=%s]').innerText === %s", quoted(column), quoted(want)))
		}
	}
}

// TestMarkupInALabelIsText: a label can be anything, and operators of another system
// may have written it.
func TestMarkupInALabelIsText(t *testing.T) {
	t.Parallel()
	const label = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":` + quoted(label) + `,"metadata":{"note":"<b onclick=x>bold</b>"}}`)
	o.ask("POST", "/v1/credentials/"+c.ID+"/revoke", `{"reason":`+quoted(label)+`}`, new(any))
	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitText("#credentials-rows", label)
	p.openCredential(c)
	p.awaitText("#credential-title", label)
	p.awaitText("#credential-facts", "<b onclick=x>")
	p.awaitText("#credential-history", label)
	p.goTo("#/audit")
	p.awaitText("#audit-rows", label)
	p.shot("audit")
	if n := eval[int](p, "document.querySelectorAll('main img, main script, main b').length"); n != 0 || strings.Contains(eval[string](p, "document.title"), "owned") {
		t.Errorf("%d elements were made of a label", n)
	}
}

func TestAuditPagesAndFilters(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	c := o.mint(`{"kind":"callback","label":"one"}`)
	for i := range 60 {
		o.ask("PATCH", "/v1/credentials/"+c.ID, fmt.Sprintf(`{"label":"%d"}`, i), new(any))
	}
	other := o.mint(`{"kind":"callback","label":"two"}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.click("#nav a[href='#/audit']")
	p.awaitText("#audit-count", "50 entries, and more")
	p.click("#audit-more")
	p.awaitText("#audit-count", "62 entries")
	p.choose("#audit-action", "mint")
	p.awaitText("#audit-count", "2 entries")
	p.fill("#audit-credential", other.ID)
	p.press("\r")
	p.awaitText("#audit-count", "1 entry")
	p.awaitText("#audit-rows", "alice@example.com")
	p.fill("#audit-credential", "none")
	p.press("\r")
	p.awaitText("#audit-problem", "HKG-2422 · request 0")
	p.fill("#audit-credential", "")
	p.choose("#audit-action", "")
	p.fill("#audit-actor", "bob")
	p.press("\r")
	p.awaitText("#audit-count", "No entry matches.")
	p.fill("#audit-actor", "alice@example.com")
	p.press("\r")
	p.awaitText("#audit-count", "50 entries, and more")
	p.choose("#audit-since", "2127-01-02T03:04")
	p.awaitText("#audit-count", "No entry matches.")
	p.choose("#audit-since", "")
	p.choose("#audit-until", "2127-01-02T03:04")
	p.awaitText("#audit-count", "50 entries, and more")
	// From a credential to its own entries.
	p.openCredential(c)
	p.click("#history-all")
	p.await("its entries are shown", "document.querySelector('#audit-credential').value === "+quoted(c.ID))
}

// TestOnlyTheAdminListenerHasIt: who may scrape metrics is not offered a console.
func TestOnlyTheAdminListenerHasIt(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]int{gate.Admin: http.StatusOK, gate.Status: http.StatusNotFound, gate.Vendors: http.StatusNotFound} {
		for _, path := range []string{"/console", "/console/app.js"} {
			if got := status(t, "GET", url+path); got != want {
				t.Errorf("%s: %d, want %d", url+path, got, want)
			}
		}
	}
}
