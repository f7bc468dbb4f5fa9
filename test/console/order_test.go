package console

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestSort: the order is that of the whole list, not of the page on the screen.
func TestSort(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	used := o.mint(`{"kind":"callback","label":"b10","expiresAt":"` + in(48*time.Hour) + `"}`)
	o.mint(`{"kind":"callback","label":"B9"}`)
	o.mint(`{"kind":"callback","label":"a","expiresAt":"` + in(24*time.Hour) + `"}`)
	o.use(used)
	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitLabels("a B9 b10")
	for order, want := range map[string]string{
		"oldest": "b10 B9 a", "name": "a B9 b10", "used": "b10 a B9", "unused": "a B9 b10", "ends": "a b10 B9", "": "a B9 b10",
	} {
		p.choose("#sort", order)
		p.awaitLabels(want)
	}
}

// TestSortPages: of a long list that is sorted a page is in the document, and the others wait.
func TestSortPages(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	o.many(120)
	p := open(t, gate)
	p.signIn(o.admin())
	p.choose("#sort", "name")
	p.awaitText("#credentials-count", "50 of 120 credentials")
	p.await("by number", "document.querySelector('#credentials-rows th a').innerText === 'system 0' && document.querySelector('#credentials-rows tr:nth-child(11) th a').innerText === 'system 10'")
	p.click("#credentials-more")
	p.awaitText("#credentials-count", "100 of 120 credentials")
	p.click("#credentials-more")
	p.awaitText("#credentials-count", "120 credentials")
	if p.visible("#credentials-more") {
		t.Error("more is offered after the last page")
	}
	p.fill("#search", "system 11")
	p.press("\r")
	p.awaitText("#credentials-count", "11 credentials") // 11 and 110 to 119
}

// many imports so many credentials.
func (o tenant) many(n int) {
	o.t.Helper()
	for done := 0; done < n; {
		var lines []string
		for ; done < n && len(lines) < 1000; done++ {
			lines = append(lines, fmt.Sprintf(`{"kind":"callback","label":"system %d","digest":"%x"}`, done, sha256.Sum256([]byte(o.id+fmt.Sprint(done)))))
		}
		o.ask("POST", "/v1/credentials/import", `{"credentials":[`+strings.Join(lines, ",")+`]}`, new(any))
	}
}

func TestHideRevoked(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	gone := o.mint(`{"kind":"callback","label":"gone"}`)
	o.mint(`{"kind":"callback","label":"live"}`)
	o.ask("POST", "/v1/credentials/"+gone.ID+"/revoke", "", new(any))
	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitLabels("live gone")
	p.click("#hide-revoked")
	p.awaitLabels("live")
	p.search(gone.ID, "")
	p.search("", "live")
	p.choose("#filter-status", "revoked") // which says that they are wanted
	p.awaitLabels("gone")
	p.click("#hide-revoked")
	p.awaitLabels("live")
}
