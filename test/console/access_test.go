package console

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// views opens every view and dialog with something in it, and calls look on each.
func (p *tab) views(look func(name string)) {
	p.t.Helper()
	o := newTenant(p.t)
	look("sign-in")
	var made []credential
	for _, body := range examples() {
		made = append(made, o.mint(body))
	}
	old := o.mint(`{"kind":"callback","label":"Billing in Brazil, production, with a name that goes on","allowedIps":["127.0.0.1","203.0.113.0/24","2001:db8::/32"]}`)
	var fresh credential
	o.ask("POST", "/v1/credentials/"+old.ID+"/rotate", `{"gracePeriodSeconds":86400,"reason":"yearly rotation"}`, &fresh)
	o.use(append(made[1:], old, fresh)...)
	o.ask("PATCH", "/v1/credentials/"+fresh.ID, `{"label":"Billing in Brazil, production, and another one","expiresAt":"2127-01-02T03:04:05Z","verify":{"scheme":"github","secrets":["of the vendor"]}}`, new(any))
	o.signed(fresh.Token, "another")
	p.signIn(o.admin())
	look("credentials")
	p.openCredential(fresh)
	p.awaitText("#pair-verdict", "Both are used")
	look("credential")
	for _, dialog := range []string{"edit", "rotate", "disable", "revoke", "finish"} {
		p.click("#" + dialog + "-open")
		look(dialog)
		p.click("#" + dialog + " [data-close]")
	}
	p.click("#signing-open")
	look("signing")
	p.click("#signing [data-close]")
	p.goTo("#/audit")
	p.awaitText("#audit-rows", "yearly rotation")
	look("audit")
	p.goTo("#/verify")
	p.fill("#verify-token", fresh.Token)
	p.press("\r")
	p.awaitText("#verify-proofs", "the signature is wrong")
	look("verify")
	p.goTo("#/nonsense")
	look("unknown")
	p.goTo("#/server")
	p.awaitText("#server-cards", "Ready")
	look("server")
	p.goTo("#/credentials")
	p.await("the list is back", rowCount+" > 2 && document.querySelector('#view-server').hidden")
	p.click("#mint-open")
	p.click("#mint input[value=webhook]")
	p.fill("#mint-label", "Pluggy, production")
	p.fill("#mint-vendor", "pluggy")
	p.fill("#mint-connection", "pluggy-main")
	p.await("schemes are offered", "document.querySelector('#mint-scheme [value=stripe]')")
	look("mint")
	p.choose("#mint-scheme", "own")
	p.fill("#mint-scheme-secret-1", "of the vendor")
	look("mint-scheme")
	p.choose("#mint-scheme", "")
	p.submit("#mint")
	p.shown("Token")
	look("secret")
	p.closeSecret()
}

func examples() []string {
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	return []string{
		`{"kind":"webhook","label":"Belvo sandbox","vendor":"belvo","connection":"belvo-main","expiresAt":"` + in(9*24*time.Hour+time.Hour) + `"}`,
		`{"kind":"webhook","label":"Pluggy","vendor":"pluggy","connection":"pluggy-main"}`,
		`{"kind":"callback","label":"ServiceNow","expiresAt":"` + in(200*24*time.Hour) + `"}`,
		`{"kind":"callback","label":"JIRA"}`,
	}
}

// TestEverythingHasAName goes by what the browser tells screen readers. On a phone a
// table is laid out as cards, and has to be a table all the same.
func TestEverythingHasAName(t *testing.T) {
	t.Parallel()
	for _, width := range []int64{1280, 320} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			p := open(t, gate)
			p.emulate(width, 740, "light")
			p.views(p.checkNames)
		})
	}
}

var operable = []string{"button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "dialog", "table", "columnheader", "rowheader", "navigation", "heading"}

func (p *tab) checkNames(view string) {
	p.t.Helper()
	roles := map[string]int{}
	for _, n := range command(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		role := valueOf(n.Role)
		if n.Ignored || !slices.Contains(operable, role) {
			continue
		}
		roles[role]++
		if valueOf(n.Name) == "" {
			p.t.Errorf("%s: a %s without a name", view, role)
		}
	}
	switch {
	case roles["button"] == 0:
		p.t.Errorf("%s: no buttons among %v", view, roles)
	case view == "credentials" && (roles["columnheader"] != 7 || roles["rowheader"] < 5 || roles["table"] != 1):
		p.t.Errorf("%s is no table: %v", view, roles)
	}
	if ids := eval[int](p, "[...document.querySelectorAll('[id]')].length - new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size"); ids != 0 {
		p.t.Errorf("%s: %d ids occur twice", view, ids)
	}
}

func valueOf(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}

// look opens every view in a window and colour scheme. Nothing is cut off, and
// everything can be read.
func look(t *testing.T, width, height int64, scheme string, docs ...string) {
	t.Parallel()
	p := open(t, gate)
	p.emulate(width, height, scheme)
	p.views(func(name string) {
		if over := eval[int](p, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
			t.Errorf("%s: the page is %d px too wide", name, over)
		}
		if over := eval[string](p, `[...document.querySelectorAll('main *, dialog[open], dialog[open] *')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1
			&& !e.closest('thead, code')).map((e) => e.tagName + '#' + e.id + '.' + e.className).join(' ')`); over != "" {
			t.Errorf("%s: beyond the edge: %s", name, over)
		}
		checkContrast(p, name)
		if name == "audit" {
			checkAudit(p)
		}
		switch {
		case !slices.Contains(docs, name):
			p.shot(name)
		case name == "credential": // the rotation, and nothing that is cut in half
			p.do(chromedp.EmulateViewport(width, eval[int64](p, "document.querySelector('#pair').offsetHeight + 20")))
			p.run("scrollTo(0, document.querySelector('#pair').offsetTop - 10)")
			p.shotForDocs("narrow-dark")
			p.do(chromedp.EmulateViewport(width, height))
		default:
			p.shotForDocs(name)
		}
	})
}

// exactTime is how one is written, as a regular expression of JavaScript.
const exactTime = `/\d \w+ \d{4}, \d\d:\d\d:\d\d /`

// checkAudit: an address is in one piece on either side of its @, a link looks like one,
// a rotation leads to what it made, and times are exact.
func checkAudit(p *tab) {
	p.t.Helper()
	who := `[...document.querySelector('#audit-rows [data-name=Who]').childNodes].filter((n) => n.data).map((n) => { const r = document.createRange(); r.selectNode(n); return r.getClientRects().length; }).join(' ')`
	if lines := eval[string](p, who); lines != "1 1" {
		p.t.Errorf("alice@ and example.com are on so many lines: %s", lines)
	}
	if plain := eval[int](p, "[...document.querySelectorAll('#audit-rows a code')].filter((e) => getComputedStyle(e).textDecorationLine !== 'underline').length"); plain != 0 {
		p.t.Errorf("%d links of the audit log are not underlined", plain)
	}
	row := "#audit-rows tr:nth-child(2) " // before it is the update
	if text := p.text(row + "[data-name^=What]"); !strings.HasPrefix(text, "yearly rotation – replaced by ") || !p.visible(row+"[data-name^=What] a[href^='#/credential/']") {
		p.t.Errorf("the rotation says %q, or does not lead to the new credential", text)
	}
	if !eval[bool](p, exactTime+".test(document.querySelector('"+row+"th').innerText)") {
		p.t.Errorf("the time of the rotation is %q", p.text(row+"th"))
	}
}

// Of these two are the pictures of the README.

func TestWideAndLight(t *testing.T)   { look(t, 1280, 800, "light", "credentials", "mint") }
func TestNarrowAndDark(t *testing.T)  { look(t, 360, 740, "dark", "credential") }
func TestWideAndDark(t *testing.T)    { look(t, 1280, 800, "dark") }
func TestNarrowAndLight(t *testing.T) { look(t, 320, 740, "light") }

// checkContrast computes the contrast of every text with what is behind it, as WCAG
// 2.2 has it: 4.5, or 3 for large text.
func checkContrast(p *tab, name string) {
	p.t.Helper()
	if poor := eval[string](p, contrast); poor != "" {
		p.t.Errorf("%s: poor contrast: %s", name, poor)
	}
}

const contrast = `(() => {
	const parse = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
	const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
	const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
	const root = document.querySelector('dialog[open]') ?? document.body;
	const poor = new Set();
	for (const e of root.querySelectorAll('*')) {
		if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
		const style = getComputedStyle(e), [a, b] = [luminance(parse(style.color)), luminance(behind(e))].sort((x, y) => y - x);
		const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
		const ratio = (a + .05) / (b + .05);
		if (ratio < (large ? 3 : 4.5)) poor.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
	}
	return [...poor].join(', ');
})()`

// TestPicturesOfTheReadme: they are there, and small.
func TestPicturesOfTheReadme(t *testing.T) {
	t.Parallel()
	pictures, err := filepath.Glob("../../docs/images/console-*.png")
	if err != nil || len(pictures) != 3 {
		t.Fatalf("%v %v", pictures, err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pictures {
		if info, err := os.Stat(path); err != nil || info.Size() > 150_000 {
			t.Errorf("%s: %v %v", path, info, err)
		}
		if !strings.Contains(string(readme), fmt.Sprintf("docs/images/%s", filepath.Base(path))) {
			t.Errorf("the README does not show %s", path)
		}
	}
}

// TestGitIgnoresScreenshots: they are of whoever runs the tests.
func TestGitIgnoresScreenshots(t *testing.T) {
	t.Parallel()
	if err := exec.CommandContext(t.Context(), "git", "rev-parse", "--is-inside-work-tree").Run(); err != nil {
		t.Skip("this is no work tree of Git, or there is no git")
	}
	if out, err := exec.CommandContext(t.Context(), "git", "check-ignore", "screenshots/TestAny-any.png").CombinedOutput(); err != nil {
		t.Errorf("Git does not ignore the screenshots: %v %s", err, out)
	}
}
