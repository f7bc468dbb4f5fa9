package console

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const rowCount = "document.querySelectorAll('#credentials-rows tr').length"

func TestListPagesAndFilters(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	var lines []string
	for i := range 120 {
		line := fmt.Sprintf(`{"kind":"callback","label":"system %d","digest":"%x"}`, i, sha256.Sum256([]byte(o.id+fmt.Sprint(i))))
		lines = append(lines, line)
	}
	o.ask("POST", "/v1/credentials/import", `{"credentials":[`+strings.Join(lines, ",")+`]}`, new(any))
	webhook := o.mint(`{"kind":"webhook","vendor":"belvo","connection":"belvo-main"}`)
	revoked := o.mint(`{"kind":"callback","label":"old"}`)
	o.ask("POST", "/v1/credentials/"+revoked.ID+"/revoke", "", new(any))

	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitText("#credentials-count", "50 credentials, and more")
	p.click("#credentials-more")
	p.awaitText("#credentials-count", "100 credentials, and more")
	p.click("#credentials-more")
	p.awaitText("#credentials-count", "122 credentials")
	if p.visible("#credentials-more") {
		t.Error("more is offered after the last page")
	}
	if n := eval[int](p, "new Set([...document.querySelectorAll('#credentials-rows a')].map((a) => a.href)).size"); n != 122 {
		t.Errorf("%d credentials of 122", n)
	}

	p.choose("#filter-kind", "webhook")
	p.awaitText("#credentials-count", "1 credential")
	p.awaitText("#credentials-rows", "belvo / belvo-main")
	p.choose("#filter-status", "revoked")
	p.awaitText("#credentials-count", "No credential matches.")
	p.choose("#filter-kind", "")
	p.awaitText("#credentials-rows", "old")
	if n := eval[int](p, rowCount); n != 1 {
		t.Errorf("%d are revoked", n)
	}
	p.choose("#filter-status", "")
	for search, want := range map[string]string{"system 77": "system 77", strings.ToUpper(webhook.ID): "belvo-main"} {
		p.fill("#search", search)
		p.press("\r")
		p.await("one is found", rowCount+" === 1 && document.querySelector('#credentials-rows').innerText.includes("+quoted(want)+")")
	}
	p.fill("#search", o.id) // an id, but no credential's
	p.press("\r")
	p.awaitText("#credentials-count", "No credential matches.")
}

func TestListShowsWhatEnds(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	soon, later := time.Now().Add(73*time.Hour).UTC().Format(time.RFC3339), time.Now().Add(100*24*time.Hour).UTC().Format(time.RFC3339)
	o.mint(`{"kind":"callback","label":"near","expiresAt":"` + soon + `"}`)
	o.mint(`{"kind":"callback","label":"far","expiresAt":"` + later + `"}`)
	o.mint(`{"kind":"callback","label":"never"}`)
	p := open(t, gate, skewedClock)
	p.signIn(o.admin())
	p.awaitText("#credentials-count", "3 credentials")
	expires := func(label string) string {
		return eval[string](p, "[...document.querySelectorAll('#credentials-rows tr')].find((r) => r.querySelector('th').innerText === "+quoted(label)+").querySelector('[data-name=Expires]').innerText")
	}
	for label, want := range map[string]string{"near": "in 3 days (soon)", "far": "in 99 days", "never": "never"} {
		if got := expires(label); got != want {
			t.Errorf("%s expires %q, want %q", label, got, want)
		}
	}
	if title := eval[string](p, "document.querySelector('#credentials-rows time').title"); !strings.Contains(title, fmt.Sprint(time.Now().Year())) {
		t.Errorf("the full time is %q", title)
	}
	p.run("skew = 15 * 60_000")
	p.await("the time goes on", "document.querySelector('#credentials-rows [data-name=Created]').innerText === '15 minutes ago'")
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
	// From a credential to its own entries.
	p.openCredential(c)
	p.click("#history-all")
	p.await("its entries are shown", "document.querySelector('#audit-credential').value === "+quoted(c.ID))
}

// TestOnlyTheAdminListenerHasIt: who may scrape metrics is not offered a console.
func TestOnlyTheAdminListenerHasIt(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]int{gate.admin: http.StatusOK, gate.status: http.StatusNotFound, gate.vendors: http.StatusNotFound} {
		for _, path := range []string{"/console", "/console/app.js"} {
			if got := status(t, "GET", url+path); got != want {
				t.Errorf("%s: %d, want %d", url+path, got, want)
			}
		}
	}
}
