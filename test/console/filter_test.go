package console

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const rowCount = "document.querySelectorAll('#credentials-rows tr').length"

// labels are what the list shows, from the top.
const labels = "[...document.querySelectorAll('#credentials-rows th a')].map((a) => a.innerText).join(' ')"

// awaitLabels waits until the list has these rows and no others.
func (p *tab) awaitLabels(want string) {
	p.t.Helper()
	p.await("the list shows "+want, labels+" === "+quoted(want)+" && !document.querySelector('#credentials-table[aria-busy]')")
}

// cell returns what the list shows of a credential.
func (p *tab) cell(label, column string) string {
	p.t.Helper()
	return eval[string](p, "[...document.querySelectorAll('#credentials-rows tr')].find((r) => r.querySelector('th a').innerText === "+quoted(label)+
		")?.querySelector('[data-name="+quoted(column)+"]').innerText ?? 'no such row'")
}

// search looks for a text as people do, and waits for the rows that it should find.
func (p *tab) search(text, want string) {
	p.t.Helper()
	p.fill("#search", text)
	p.press("\r")
	p.awaitLabels(want)
}

// TestSearch: people type a part of what they remember.
func TestSearch(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	jira := o.mint(`{"kind":"callback","label":"JIRA"}`)
	o.mint(`{"kind":"webhook","label":"bank","vendor":"belvo","connection":"Brazil-main"}`)
	o.mint(`{"kind":"api","label":"partner","clientId":"Acme-` + o.id + `","secretHash":"` + strings.Repeat("a", 64) + `"}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitLabels("partner bank JIRA")
	for text, want := range map[string]string{
		"jir": "JIRA", "BELV": "bank", "brazil": "bank", "acme": "partner", "ar": "partner",
		" " + strings.ToUpper(jira.ID): "JIRA", o.id: "partner", // which is an id, and a part of a client id
	} {
		p.search(text, want)
	}
	p.search("nobody's", "")
	p.awaitText("#credentials-count", "No credential matches.")
	p.search("", "partner bank JIRA")

	p.search("a", "partner bank JIRA")
	p.choose("#filter-kind", "webhook")
	p.awaitLabels("bank")
	p.search(jira.ID, "") // found, but of another kind
}

// TestEveryStatusAndKind: what the list says of each, and that the filters find it.
// An expiry has to lie ahead when it is set, so that of the expired is waited for.
func TestEveryStatusAndKind(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	bodies := map[string]string{
		"callback": `{"kind":"callback"`, "webhook": `{"kind":"webhook","vendor":"belvo","connection":"belvo-main"`,
		"api": `{"kind":"api","secretHash":"` + strings.Repeat("b", 64) + `","clientId":"`,
	}
	kinds := []struct{ value, shown string }{{"callback", "Callback"}, {"webhook", "Webhook"}, {"api", "API"}}
	statuses := []struct {
		value, shown, expires string
		bring                 func(path, kind string) // a new credential into this state
	}{
		{"active", "Active", "never", func(string, string) {}},
		{"grace", "In grace", "(grace ends)", func(path, kind string) {
			body := `{"gracePeriodSeconds":3600}`
			if kind == "api" {
				body = `{"gracePeriodSeconds":3600,"secretHash":"` + strings.Repeat("c", 64) + `"}`
			}
			var made credential
			o.ask("POST", path+"/rotate", body, &made)
			o.ask("PATCH", "/v1/credentials/"+made.ID, `{"label":"new"}`, new(any)) // a rotation takes the label over
			o.ask("POST", "/v1/credentials/"+made.ID+"/revoke", "", new(any))
		}},
		{"expired", "Expired", "(expired)", func(path, _ string) {
			o.ask("PATCH", path, `{"expiresAt":"`+time.Now().Add(5*time.Second).UTC().Format(time.RFC3339)+`"}`, new(any))
		}},
		{"revoked", "Revoked", "never", func(path, _ string) { o.ask("POST", path+"/revoke", "", new(any)) }},
	}
	for _, kind := range kinds {
		for _, status := range statuses {
			name := kind.value + "-" + status.value
			body := bodies[kind.value]
			if kind.value == "api" {
				body += name + "-" + o.id + `"`
			}
			status.bring("/v1/credentials/"+o.mint(body+`,"label":"`+name+`"}`).ID, kind.value)
		}
	}
	hookgatetest.Eventually(t, "the end of those that expire", func() bool {
		return !slices.ContainsFunc(o.list(), func(c credential) bool { return strings.HasSuffix(c.Label, "-expired") && c.Status != "expired" })
	})
	p := open(t, gate)
	p.signIn(o.admin())
	for _, kind := range kinds {
		p.choose("#filter-kind", kind.value)
		for _, status := range statuses {
			name := kind.value + "-" + status.value
			p.choose("#filter-status", status.value)
			want := name
			if status.value == "revoked" { // so are those that the rotations made
				want = name + " new"
			}
			p.awaitLabels(want)
			if got := p.cell(name, "Status"); got != status.shown {
				t.Errorf("%s: the status is %q, want %q", name, got, status.shown)
			}
			if got := p.cell(name, "Expires"); !strings.HasSuffix(got, status.expires) {
				t.Errorf("%s: it expires %q, want %q", name, got, status.expires)
			}
			if got := p.cell(name, "Kind"); got != kind.shown {
				t.Errorf("%s: the kind is %q, want %q", name, got, kind.shown)
			}
		}
	}
}

// TestUnusedFilter puts the clock of the page forward, by which it counts the days.
func TestUnusedFilter(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	used := o.mint(`{"kind":"callback","label":"used"}`)
	never := o.mint(`{"kind":"callback","label":"never"}`)
	o.use(used)
	p := open(t, gate, skewedClock)
	p.signIn(o.jwt("admin", 180*24*time.Hour))
	p.awaitLabels("never used")
	p.choose("#filter-unused", "90")
	p.awaitLabels("never")
	p.search(used.ID, "")
	p.search(never.ID, "never")
	p.run("skew = 91 * 24 * 3_600_000")
	p.search("", "never used")
	if got := p.cell("used", "Last used"); got != "91 days ago" {
		t.Errorf("it was last used %q", got)
	}
	p.search(used.ID, "used")
	p.choose("#filter-unused", "365")
	p.awaitLabels("")
	p.awaitText("#credentials-count", "No credential matches.")
}
