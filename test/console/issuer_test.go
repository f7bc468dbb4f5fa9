package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/issuer"
)

// withIssuer starts a hookgate at which operators sign in at an issuer, with logs of
// everything.
func withIssuer(t *testing.T) (*server, *issuer.Issuer) {
	t.Helper()
	ports := hookgatetest.FreePorts(t)
	at, err := issuer.Start(fmt.Sprintf("http://127.0.0.1:%d/console/callback", ports.Admin))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(at.Close)
	matcher := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	t.Cleanup(matcher.Close)
	dir := t.TempDir()
	text := fmt.Sprintf(caddyfile, fmt.Sprintf("embedded %q", filepath.Join(dir, "data")), ports.Vendors, matcher.Listener.Addr(), ports.Admin, ports.Status, "")
	text = strings.NewReplacer("level ERROR", "level DEBUG", "	hookgate_admin {", fmt.Sprintf(`	log
	hookgate_admin {
		oidc {
			issuer %s
			client_id %s
			client_secret %s
		}`, at.URL, at.ClientID, issuer.ClientSecret)).Replace(text)
	s := &server{hookgatetest.Start(t, ports, hookgatetest.Serve(t, dir, text)), matcher}
	return s, at
}

// signInAtIssuer presses the button, and signs in at the page that it leads to.
func (p *tab) signInAtIssuer() {
	p.t.Helper()
	p.await("the issuer is offered", "!document.querySelector('#issuer').hidden")
	p.click("#issuer a")
	p.typeAtIssuer()
}

func (p *tab) typeAtIssuer() {
	p.t.Helper()
	p.await("the issuer asks", "document.querySelector('#username')")
	p.fill("#username", issuer.Username)
	p.fill("#password", issuer.Password)
	p.click("#go")
}

func (p *tab) awaitCredentials() {
	p.t.Helper()
	p.await("the credentials are shown", `document.querySelector('#view-credentials')?.hidden === false && document.querySelector('#credentials-count').textContent`)
}

// cookie is that of the session, which no script can read.
func (p *tab) cookie() *http.Cookie {
	p.t.Helper()
	for _, c := range command(p, network.GetCookies, network.GetCookiesParams{}).Cookies {
		if c.Name == "hookgate" {
			return &http.Cookie{Name: c.Name, Value: c.Value}
		}
	}
	p.t.Fatal("there is no session")
	return nil
}

// with makes a request with a cookie that was copied.
func (s *server) with(t *testing.T, cookie *http.Cookie, method, path string, headers ...string) int {
	t.Helper()
	r, err := http.NewRequest(method, s.Admin+path, strings.NewReader(map[string]string{"POST": `{"kind":"callback"}`}[method]))
	if err != nil {
		t.Fatal(err)
	}
	if method == "POST" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.AddCookie(cookie)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// TestSignInAtIssuer: in, at work, out; and what an onlooker could have copied is of no use
// then.
func TestSignInAtIssuer(t *testing.T) {
	t.Parallel()
	s, at := withIssuer(t)
	o := tenant{t, s, uuid.NewString()}
	at.Claim(map[string]any{"tenant_id": o.id, "roles": []string{"admin"}})
	p := open(t, s)
	p.shot("offered")
	p.signInAtIssuer()
	p.awaitCredentials()
	p.awaitText("#who-tenant", o.id)
	p.awaitText("#who-role", "admin")
	p.awaitText("#who-ends", "Session ends")
	p.awaitText("#who-expires", "in 11 h")

	p.click("#mint-open")
	p.submit("#mint")
	token := p.shown("Token")
	p.closeSecret()
	if status := o.callback(token); status != 200 {
		t.Errorf("the token: %d", status)
	}
	copied := p.cookie()
	p.wantNowhere(copied.Value)
	if strings.Contains(eval[string](p, "location.href"), "code=") {
		t.Error("the code is in the address")
	}
	p.do(chromedp.Reload())
	p.awaitCredentials()
	if status := s.with(t, copied, "GET", "/v1/me"); status != 200 {
		t.Errorf("before: %d", status)
	}
	if status := s.with(t, copied, "POST", "/v1/credentials"); status != 403 {
		t.Errorf("a change without our header: %d", status)
	}

	p.click("#sign-out")
	p.awaitText("#notice", "Signed out.")
	if status := s.with(t, copied, "GET", "/v1/me"); status != 401 {
		t.Errorf("a copy of the cookie after signing out: %d", status)
	}
	p.do(chromedp.Reload())
	p.await("the page asks again", `document.activeElement?.id === 'jwt' && !document.querySelector('#issuer').hidden`)
	if p.visible("#session") {
		t.Error("signed in after signing out")
	}
	output := s.Output.String()
	for _, secret := range []string{issuer.ClientSecret, copied.Value, "code=", "state=", token} {
		if strings.Contains(output, secret) {
			t.Errorf("in the log: %.20s", secret)
		}
	}
}

// TestAnotherPageCannotUseTheSession: another port of the same machine is another origin of
// the same site, so that the cookie comes along.
func TestAnotherPageCannotUseTheSession(t *testing.T) {
	t.Parallel()
	s, at := withIssuer(t)
	o := tenant{t, s, uuid.NewString()}
	at.Claim(map[string]any{"tenant_id": o.id, "roles": []string{"admin"}})
	p := open(t, s)
	p.signInAtIssuer()
	p.awaitCredentials()
	kept := o.mint(`{"kind":"callback","label":"JIRA"}`)
	p.do(chromedp.Navigate(at.URL + "/login/username"))
	for _, request := range []string{
		fmt.Sprintf(`fetch(%q, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"kind":"callback"}' })`, s.Admin+"/v1/credentials"),
		fmt.Sprintf(`fetch(%q, { method: 'POST', mode: 'no-cors', credentials: 'include' })`, s.Admin+"/v1/credentials/"+kept.ID+"/revoke"),
		fmt.Sprintf(`fetch(%q, { method: 'POST', mode: 'no-cors', credentials: 'include' })`, s.Admin+"/console/logout"),
	} {
		eval[chromedp.Void](p, "("+request+").then(() => undefined)", chromedp.EvalAwaitPromise)
	}
	if list := o.list(); len(list) != 1 || list[0].Status != "active" {
		t.Errorf("there is %v", list)
	}
	// It did come along, and was refused for where it came from.
	if refused := strings.Count(s.Output.String(), `"code":"HKG-2026"`); refused != 3 {
		t.Errorf("%d requests were refused as another site's", refused)
	}
	p.do(chromedp.Navigate(s.Admin + "/console"))
	p.awaitCredentials()
	// What a browser refuses to add a page with a copied cookie can: the origin decides.
	for origin, want := range map[string]int{s.Admin: 201, at.URL: 403, "null": 403} {
		if status := s.with(t, p.cookie(), "POST", "/v1/credentials", "Origin", origin, "X-Hookgate-Console", "1"); status != want {
			t.Errorf("%s: %d", origin, status)
		}
	}
}

// TestSignInOfAnotherBrowser: an answer of the issuer is of use to the browser that began.
func TestSignInOfAnotherBrowser(t *testing.T) {
	t.Parallel()
	s, at := withIssuer(t)
	at.Claim(map[string]any{"tenant_id": uuid.NewString(), "roles": []string{"admin"}})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	begun, err := client.Get(s.Admin + "/console/login")
	if err != nil {
		t.Fatal(err)
	}
	begun.Body.Close()
	p := open(t, s)
	p.do(chromedp.Navigate(begun.Header.Get("Location"))) // the state and nonce of another
	p.typeAtIssuer()
	p.awaitText("#code", "HKG-2024")
	p.shot("refused")
	p.do(chromedp.Navigate(s.Admin + "/console/callback?state=made-up&code=made-up"))
	p.awaitText("#code", "HKG-2024")
	p.click("a[href=login]") // begins again
	p.typeAtIssuer()
	p.awaitCredentials()
}

// TestWithoutRole: the page says why somebody whom the issuer knows may do nothing.
func TestWithoutRole(t *testing.T) {
	t.Parallel()
	s, at := withIssuer(t)
	at.Claim(map[string]any{"tenant_id": uuid.NewString()})
	p := open(t, s)
	p.signInAtIssuer()
	p.awaitText("#code", "HKG-2403")
}

// TestSessionEndsAtTheServer: it outlasts a restart, and what the page had on its screen does
// not stay when it is ended elsewhere.
func TestSessionEndsAtTheServer(t *testing.T) {
	t.Parallel()
	s, at := withIssuer(t)
	at.Claim(map[string]any{"tenant_id": uuid.NewString(), "roles": []string{"admin"}})
	p := open(t, s)
	p.signInAtIssuer()
	p.awaitCredentials()
	s.Stop()
	s.Restart() // which the session outlasts, by the seal_key
	p.click("#credentials-refresh")
	p.await("it was read anew", "document.querySelector('#view-credentials').getAttribute('aria-busy') !== 'true'")
	copied := p.cookie()
	if status := s.with(t, copied, "POST", "/console/logout", "Origin", s.Admin, "X-Hookgate-Console", "1"); status != 204 {
		t.Errorf("logout elsewhere: %d", status)
	}
	p.click("#credentials-refresh")
	p.awaitText("#notice", "Signed out: The session of the console has ended: sign in again.")
	if p.visible("#session") || p.visible("#view-credentials") {
		t.Error("still signed in")
	}
	p.signInAtIssuer()
	p.awaitCredentials()
}

// TestSessionExpires: the page ends it by its own clock, too.
func TestSessionExpires(t *testing.T) {
	t.Parallel()
	s, at := withIssuer(t)
	at.Claim(map[string]any{"tenant_id": uuid.NewString(), "roles": []string{"admin"}})
	p := open(t, s, skewedClock)
	p.signInAtIssuer()
	p.awaitCredentials()
	p.run(fmt.Sprintf("skew = %d", (12 * time.Hour).Milliseconds()))
	p.awaitText("#notice", "Signed out: the session has expired.")
}

// TestSeveralTenants: one is chosen, and nothing of it is seen in the other.
func TestSeveralTenants(t *testing.T) {
	t.Parallel()
	s, at := withIssuer(t)
	a, b := tenant{t, s, uuid.NewString()}, tenant{t, s, uuid.NewString()}
	a.mint(`{"kind":"callback","label":"Of the first"}`)
	b.mint(`{"kind":"callback","label":"Of the second"}`)
	at.Claim(map[string]any{"tenant_id": []string{a.id, b.id}, "roles": []string{"admin"}})
	p := open(t, s)
	p.signInAtIssuer()
	p.awaitText("#tenant-list", b.id)
	p.shot("choose")
	if p.visible("#nav") || p.visible("#session") {
		t.Error("there is something to do before a tenant is chosen")
	}
	p.click("#tenant-list li:nth-child(2) button")
	p.awaitText("#credentials-rows", "Of the second")
	p.awaitText("#who-tenant", b.id)
	p.openCredential(b.list()[0])
	p.click("#tenant-change")
	p.click("#tenant-list li:nth-child(1) button")
	p.awaitText("#credentials-rows", "Of the first")
	p.wantNowhere("Of the second")
	p.click("#mint-open")
	p.submit("#mint")
	p.shown("Token")
	p.closeSecret()
	if len(a.list()) != 2 || len(b.list()) != 1 {
		t.Errorf("minted for the wrong one: %v, %v", a.list(), b.list())
	}
}
