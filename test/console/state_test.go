package console

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/hookgate/hookgate/store/redistest"
)

// TestServerState: what /readyz says stands in the header of every view, and screen
// readers are told when it changes.
func TestServerState(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	o.mint(`{"kind":"callback"}`)
	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitText("#pill", "Server: ready")
	p.await("changes are announced", "document.querySelector('#pill').closest('[role=status]')")
	p.click("#pill")
	p.awaitText("#server-cards", "Proved equal to Redis")
	p.awaitText("#server-cards", "It answers, writes included.")
	p.await("the version is shown", "[...document.querySelectorAll('.card')].some((c) => /^Version\\s+\\S+\\s+Up for \\d+ (s|min)/.test(c.innerText) && !c.innerText.includes('unknown'))")
	p.await("credentials are counted", "Number([...document.querySelectorAll('.card')].find((c) => c.innerText.startsWith('Live credentials')).querySelector('.figure').innerText) > 0")
	p.shot("ready")

	restore := p.intercept("*", fetch.RequestStageRequest, func(ctx context.Context, id fetch.RequestID) error {
		_, err := chromedp.Call(ctx, fetch.FailRequest, fetch.FailRequestParams{RequestID: id, ErrorReason: network.ErrorReasonConnectionRefused})
		return err
	})
	p.awaitText("#pill", "Server: unreachable")
	p.click("#nav a[href='#/credentials']")
	p.awaitText("#credentials-problem", "The server does not answer.")
	if got := p.text("#credentials-problem"); strings.Contains(got, "Whether") {
		t.Errorf("a list that cannot be read says: %s", got)
	}
	p.shot("unreachable")
	restore()
}

// TestRedisIsKilled: the page tells a server that decides from memory from one that no
// longer decides, and when that is over.
func TestRedisIsKilled(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, redistest.WithAOF())
	// Longer than the page takes to ask again.
	s, err := startServerOn(t.TempDir(), redis.URL(), "max_staleness 15s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	o := newTenant(t)
	o.s = s
	c := o.mint(`{"kind":"callback","label":"JIRA"}`)
	p := open(t, s)
	p.signIn(o.admin())
	p.awaitText("#pill", "Server: ready")
	p.click("#pill")
	p.awaitText("#server-cards", "It answers, writes included.")

	redis.Kill()
	p.awaitText("#pill", "Server: degraded")
	p.awaitText("#server-cards", "It decides from memory, for now.")
	p.awaitText("#server-cards", "Changes are refused until it is back.")
	if eval[bool](p, "(([a, b]) => getComputedStyle(a).color === getComputedStyle(b).color)(document.querySelectorAll('.figure.warn, .figure.bad'))") {
		t.Error("a warning looks like an error")
	}
	if got := o.callback(c.Token); got != http.StatusOK {
		t.Errorf("degraded, the guard answers %d", got)
	}
	p.shot("degraded")

	p.awaitText("#pill", "Server: not ready")
	p.awaitText("#server-cards", "It answers 503 to vendors.")
	p.awaitText("#server-cards", "Stale")
	if got := o.callback(c.Token); got != http.StatusServiceUnavailable {
		t.Errorf("not ready, the guard answers %d", got)
	}
	p.goTo("#/credentials")
	p.awaitText("#credentials-problem", "HKG-2503")
	p.shot("not-ready")

	redis.Restart()
	p.awaitText("#pill", "Server: ready")
	p.click("#credentials-refresh")
	p.awaitLabels("JIRA")
	p.await("the problem is gone", "!document.querySelector('#credentials-problem').hasChildNodes()")
	if got := o.callback(c.Token); got != http.StatusOK {
		t.Errorf("ready again, the guard answers %d", got)
	}
}
