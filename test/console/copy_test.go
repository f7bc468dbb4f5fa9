package console

import (
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestCopy is the only test that touches the clipboard, of which a browser has one.
func TestCopy(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	p := open(t, gate)
	// Only the page that a person looks at may use the clipboard.
	command(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	p.signIn(o.admin())
	p.click("#mint-open")
	p.submit("#mint")
	token := p.shown("Token")

	p.allow("clipboard-read", cdpbrowser.PermissionSettingGranted)
	p.allow("clipboard-write", cdpbrowser.PermissionSettingGranted)
	p.click("#secret .copyable button")
	p.awaitText("#secret-said", "Copied: Token.")
	if got := eval[string](p, "navigator.clipboard.readText()", chromedp.EvalAwaitPromise); got != token {
		t.Errorf("the clipboard has %q, not the token", got)
	}

	p.allow("clipboard-write", cdpbrowser.PermissionSettingDenied)
	p.click("#secret .copyable button")
	p.awaitText("#secret-said", "Selected. Copy it with Ctrl+C")
	if got := eval[string](p, "getSelection().toString()"); got != token {
		t.Errorf("%q is selected, not the token", got)
	}
	p.closeSecret()
	p.wantNowhere(token)
}

// allow sets what the page may do, in this tab's profile.
func (p *tab) allow(name string, setting cdpbrowser.PermissionSetting) {
	p.t.Helper()
	c := chromedp.FromContext(p.ctx)
	if _, err := cdp.Call(p.ctx, c.Browser, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
		Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: setting, BrowserContextID: c.BrowserContextID,
	}); err != nil {
		p.t.Fatal(err)
	}
}
