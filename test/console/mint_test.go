package console

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// shell runs a line as an operator does who pastes it.
func shell(t testing.TB, line string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", line)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func needsCurl(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
}

// TestMintCallback: the line that is shown works, and then the list shows the use.
func TestMintCallback(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	o := newTenant(t)
	p := open(t, gate)
	p.signIn(o.admin())
	p.click("#mint-open")
	p.fill("#mint-label", "O'Brien's JIRA")
	p.fill("#mint-ips", "10.0.0.0/8, 127.0.0.1")
	p.submit("#mint")
	token, line := p.shown("Token"), p.shown("Try it")
	p.shot("secret")
	if out := shell(t, line); !strings.HasPrefix(out, "HTTP/1.1 200 OK") {
		t.Errorf("%s\nanswers: %s", line, out)
	}
	p.closeSecret()
	p.wantNowhere(token)
	p.awaitText("#notice", "Minted: O'Brien's JIRA.")

	p.await("the use is shown", `(document.querySelector('#credentials-refresh').click(), document.querySelector('#credentials-rows [data-name="Last used"]')?.innerText !== 'never')`)
	if got := o.list(); len(got) != 1 || got[0].Label != "O'Brien's JIRA" {
		t.Errorf("minted: %+v", got)
	}
}

func TestMintWebhook(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	o := newTenant(t)
	p := open(t, gate)
	p.signIn(o.admin())
	p.click("#mint-open")
	p.click("#mint input[value=webhook]")
	p.submit("#mint")
	p.awaitText("#mint .problem", "a webhook credential needs a vendor and a connection")
	p.fill("#mint-vendor", "pluggy")
	p.fill("#mint-connection", "pluggy-main")
	p.submit("#mint")
	url, token, line := p.shown("URL"), p.shown("Token"), p.shown("Try it")
	if want := gate.Vendors + "/v1/discovery/webhooks/pluggy/" + token; url != want {
		t.Errorf("URL %s, want %s", url, want)
	}
	if out := shell(t, line); !strings.HasPrefix(out, "HTTP/1.1 204 No Content") {
		t.Errorf("%s\nanswers: %s", line, out)
	}
	if got := status(t, "POST", url); got != http.StatusOK {
		t.Errorf("an event: %d", got)
	}
	p.closeSecret()
	p.wantNowhere(token)
	p.awaitText("#credentials-rows", "pluggy / pluggy-main")
}

// TestMintAPI: the secret is made in the browser, and the server gets its hash.
func TestMintAPI(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	o := newTenant(t)
	p := open(t, gate)
	p.signIn(o.admin())
	p.click("#mint-open")
	p.click("#mint input[value=api]")
	p.fill("#mint-client", "acme-"+o.id)
	p.fill("#mint-scopes", "products:read orders:read")
	p.submit("#mint")
	secret, line := p.shown("Client secret"), p.shown("Try it")
	out := shell(t, "HOOKGATE_URL="+gate.Vendors+"; "+strings.Replace(line, "<path>", "partners/list", 1))
	if len(secret) != 43 || !strings.HasPrefix(out, "HTTP/1.1 200 OK") {
		t.Errorf("%s\nanswers: %s", line, out)
	}
	p.closeSecret()
	p.wantNowhere(secret)
}

// intercept answers the requests that match in place of the network, until the
// function that it returns is called.
func (p *tab) intercept(pattern string, stage fetch.RequestStage, answer func(context.Context, fetch.RequestID) error) (end func()) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.ctx)
	paused := chromedp.Events(ctx, fetch.RequestPaused)
	command(p, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: pattern, RequestStage: stage}}})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e, err := range paused {
			if err != nil {
				return
			}
			_ = answer(p.ctx, e.RequestID) // it fails where the page has left the request
		}
	}()
	return func() {
		p.t.Helper()
		command(p, fetch.Disable, cdp.Empty{})
		cancel()
		<-done
	}
}

// TestLostAnswerMintsOnce: the server mints, its answer gets lost, and the operator
// presses the button again.
func TestLostAnswerMintsOnce(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	p := open(t, gate)
	p.signIn(o.admin())
	restore := p.intercept("*/v1/credentials", fetch.RequestStageResponse, func(ctx context.Context, id fetch.RequestID) error {
		_, err := chromedp.Call(ctx, fetch.FailRequest, fetch.FailRequestParams{RequestID: id, ErrorReason: network.ErrorReasonConnectionReset})
		return err
	})
	p.click("#mint-open")
	p.fill("#mint-label", "JIRA")
	p.submit("#mint")
	p.awaitText("#mint .problem", "The server does not answer. Whether it did what was asked is not known.")
	restore()
	p.submit("#mint")
	p.awaitText("#notice", "was made by the first attempt, whose answer with the token got lost")
	if got := o.list(); len(got) != 1 {
		t.Errorf("%d are minted", len(got))
	}

	// What is another request is made: the key was that of the first.
	p.click("#mint-open")
	p.fill("#mint-label", "JIRA")
	p.submit("#mint")
	p.shown("Token")
	p.closeSecret()
	if got := o.list(); len(got) != 2 {
		t.Errorf("%d are minted", len(got))
	}
}
