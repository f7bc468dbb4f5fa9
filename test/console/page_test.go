package console

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// tab is a page in a browser profile of its own, with the console in it.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	problems []string // what the browser complained of
}

// open loads the console. Scripts run before those of the page.
func open(t testing.TB, s *server, scripts ...string) *tab {
	t.Helper()
	p := &tab{t: t}
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.observe))
	p.ctx = ctx
	t.Cleanup(func() {
		if t.Failed() {
			p.shot("failed")
		}
		end()
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.problems) > 0 {
			t.Errorf("the browser complains:\n%s", strings.Join(p.problems, "\n"))
		}
	})
	if err := chromedp.Do(ctx); err != nil { // makes the tab, which no limit of an action may end
		t.Fatal(err)
	}
	// A violation of the policy is written to the console of the page.
	for _, script := range append(scripts, `addEventListener('securitypolicyviolation', (e) => console.error('violates ' + e.effectiveDirective))`) {
		command(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	}
	p.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(s.Admin+"/console"))
	p.await("the page is ready", `document.activeElement?.id === 'jwt'`)
	return p
}

func (p *tab) observe(event any) {
	var problem string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		// That an answer is 4xx is no fault of the page.
		if e.Entry.Source != log.EntrySourceNetwork && (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) {
			problem = e.Entry.Text
		}
	case *runtime.EventExceptionThrown:
		problem = e.ExceptionDetails.Text + " " + exceptionText(e.ExceptionDetails)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			problem = fmt.Sprintf("%s %s", e.Type, e.Args[0].Value)
		}
	}
	if problem != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.problems = append(p.problems, problem)
	}
}

func (p *tab) complained() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.problems) > 0
}

func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception == nil {
		return ""
	}
	return d.Exception.Description
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, hookgatetest.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// command sends one of the protocol's.
func command[P, R any](p *tab, c cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, hookgatetest.Patience)
	defer cancel()
	result, err := chromedp.Call(ctx, c, params)
	if err != nil {
		p.t.Fatal(err)
	}
	return result
}

// eval returns the value of a JavaScript expression.
func eval[T any](p *tab, expression string, options ...chromedp.EvaluateOption) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, hookgatetest.Patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// run runs a statement in the page.
func (p *tab) run(script string) {
	p.t.Helper()
	eval[chromedp.Void](p, "void ("+script+")")
}

func (p *tab) await(what, condition string) {
	p.t.Helper()
	hookgatetest.Eventually(p.t, what+": "+condition, func() bool {
		p.t.Helper()
		if p.complained() { // what is waited for will hardly come
			p.t.FailNow()
		}
		return eval[bool](p, "Boolean("+condition+")")
	})
}

func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// text returns what an element shows.
func (p *tab) text(selector string) string {
	p.t.Helper()
	return eval[string](p, "document.querySelector("+quoted(selector)+")?.innerText ?? ''")
}

// awaitText waits until an element shows a text.
func (p *tab) awaitText(selector, text string) {
	p.t.Helper()
	p.await("shows "+text, "document.querySelector("+quoted(selector)+")?.innerText.includes("+quoted(text)+")")
}

// visible reports whether a person can see the element.
func (p *tab) visible(selector string) bool {
	p.t.Helper()
	return eval[bool](p, "document.querySelector("+quoted(selector)+")?.checkVisibility() ?? false")
}

func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// submit presses the button of a dialog that carries it out.
func (p *tab) submit(dialog string) {
	p.t.Helper()
	p.click(dialog + "[open] button.primary")
}

// fill types a text into a field in place of what is there.
func (p *tab) fill(selector, text string) {
	p.t.Helper()
	p.do(chromedp.Focus(chromedp.CSS(selector)))
	p.run("document.activeElement.select()")
	if text == "" {
		p.press(kb.Backspace)
		return
	}
	command(p, input.InsertText, input.InsertTextParams{Text: text})
}

// choose picks an option of a select.
func (p *tab) choose(selector, value string) {
	p.t.Helper()
	p.run(fmt.Sprintf(`((s) => { s.value = %s; s.dispatchEvent(new Event('change', { bubbles: true })); })(document.querySelector(%s))`, quoted(value), quoted(selector)))
}

func (p *tab) press(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until the element has the focus, as who has no mouse does, and
// checks that it is seen.
func (p *tab) tabTo(selector string) {
	p.t.Helper()
	for range 60 {
		if eval[bool](p, "document.activeElement.matches("+quoted(selector)+")") {
			if outline := eval[string](p, "(({ outlineStyle, outlineWidth }) => `${outlineStyle} ${outlineWidth}`)(getComputedStyle(document.activeElement))"); outline != "solid 3px" {
				p.t.Errorf("%s has the focus, and shows it with the outline %q", selector, outline)
			}
			return
		}
		p.press(kb.Tab)
	}
	p.t.Fatalf("Tab does not lead to %s", selector)
}

func (p *tab) signIn(jwt string) {
	p.t.Helper()
	p.fill("#jwt", jwt)
	p.click("#sign-in button")
	p.await("the credentials are shown", `!document.querySelector('#view-credentials').hidden && document.querySelector('#credentials-count').textContent`)
}

// goTo opens a view by its address.
func (p *tab) goTo(hash string) {
	p.t.Helper()
	p.run("location.hash = " + quoted(hash))
}

func (p *tab) openCredential(c credential) {
	p.t.Helper()
	p.goTo("#/credential/" + c.ID)
	p.await("its details are shown", "document.querySelector('#credential-facts').innerText.includes("+quoted(c.ID)+") && document.querySelector('#credential-history').children.length")
}

// shown returns the secret that the dialog shows under a heading.
func (p *tab) shown(heading string) string {
	p.t.Helper()
	p.await("the secret is shown", "document.querySelector('#secret').open")
	return eval[string](p, "[...document.querySelectorAll('.copyable')].find((c) => c.querySelector('h3').textContent.startsWith("+quoted(heading)+")).querySelector('.value').textContent")
}

func (p *tab) closeSecret() {
	p.t.Helper()
	p.click("#secret-close")
	p.await("the dialog is closed", "!document.querySelector('#secret').open")
}

// wantNowhere waits until a secret is in no place that outlives a dialog, which forgets it
// once the browser tells that it is closed.
func (p *tab) wantNowhere(secret string) {
	p.t.Helper()
	p.await("the secret has left the page and its storage", `![document.documentElement.outerHTML, location.href, document.cookie, JSON.stringify(localStorage),
		JSON.stringify(sessionStorage), JSON.stringify(history.state), ...[...document.querySelectorAll('input, textarea')].map((field) => field.value)]
		.join('\n').includes(`+quoted(secret)+`)`)
}

// emulate sets the size of the window, and dark or light.
func (p *tab) emulate(width, height int64, scheme string) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
	command(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// shot keeps a picture of what is seen now, with the mouse out of the way.
func (p *tab) shot(name string) []byte {
	ctx, cancel := context.WithTimeout(p.ctx, hookgatetest.Patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved}); err != nil {
		p.t.Logf("the mouse: %v", err)
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Logf("no picture: %v", err)
		return nil
	}
	keep(p.t, filepath.Join("screenshots", strings.ReplaceAll(p.t.Name(), "/", "_")+"-"+name+".png"), picture)
	return picture
}

// shotForDocs is shot, and where asked for a picture of the README.
func (p *tab) shotForDocs(name string) {
	p.t.Helper()
	if picture := p.shot(name); os.Getenv("HOOKGATE_IMAGES") == "1" {
		keep(p.t, filepath.Join("../../docs/images", "console-"+name+".png"), picture)
	}
}

func keep(t testing.TB, path string, picture []byte) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		t.Fatal(err)
	}
}
