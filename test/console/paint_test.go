package console

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const manyCredentials = 10_000 // the default quota of a tenant

// marks puts into the trace when the operator signs in, and when the rows are in the document.
const marks = `document.addEventListener('DOMContentLoaded', () => {
	document.querySelector('#sign-in').addEventListener('submit', () => performance.mark('signs in'), { capture: true });
	new MutationObserver(() => performance.mark('has rows')).observe(document.querySelector('#credentials-rows'), { childList: true });
})`

const listRequests = "performance.getEntriesByType('resource').filter((e) => /\\/v1\\/credentials(\\?|$)/.test(e.name)).length"

// TestListRequests: however many credentials there are, the first page costs the same few
// requests, and only what asks for the whole list reads it.
func TestListRequests(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	o.many(manyCredentials)
	p := open(t, gate)
	p.signIn(o.admin())
	p.awaitText("#credentials-count", "50 credentials, and more")
	if n := eval[int](p, listRequests); n > 2 {
		t.Errorf("the first page took %d list requests", n)
	}
	before := eval[int](p, listRequests)
	p.choose("#sort", "name")
	p.awaitText("#credentials-count", "50 of 10000 credentials")
	if n := eval[int](p, listRequests) - before; n != 10 {
		t.Errorf("the whole list took %d requests", n)
	}
	if n := eval[int](p, rowCount); n != 50 {
		t.Errorf("%d rows are in the document", n)
	}
}

// BenchmarkFirstPaint signs in to a tenant with many credentials, and goes by the browser's
// own trace: from the address to the form, and from the button to the list.
func BenchmarkFirstPaint(b *testing.B) {
	o := newTenant(b)
	o.many(manyCredentials)
	jwt := o.admin()
	p := open(b, gate, marks)
	var forms, lists, both []float64
	for b.Loop() {
		events := p.traced(func() {
			p.do(chromedp.Navigate(gate.Admin + "/console"))
			p.await("the form is there", `document.activeElement?.id === 'jwt'`)
			p.signIn(jwt)
			eval[bool](p, "new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(() => painted(true))))", chromedp.EvalAwaitPromise)
		})
		form := events.first(b, "firstContentfulPaint", 0) - events.first(b, "navigationStart", 0)
		button := events.first(b, "signs in", 0)
		list := events.first(b, "Paint", events.first(b, "has rows", button)) - button
		forms, lists, both = append(forms, form/1000), append(lists, list/1000), append(both, (form+list)/1000)
	}
	for name, times := range map[string][]float64{"to-form": forms, "to-list": lists, "both": both} {
		slices.Sort(times)
		b.ReportMetric(times[len(times)/2], "ms-"+name+"-p50")
		b.ReportMetric(times[len(times)-1], "ms-"+name+"-max")
	}
	b.ReportMetric(0, "ns/op") // what the test itself takes
}

// trace is what a browser wrote down.
type trace []traceEvent

type traceEvent struct {
	Name     string  `json:"name"`
	At       float64 `json:"ts"` // microseconds
	Duration float64 `json:"dur"`
	Args     struct {
		Data struct {
			URL string `json:"documentLoaderURL"`
		} `json:"data"`
	} `json:"args"`
}

// traced returns the trace of what is done.
func (p *tab) traced(do func()) (events trace) {
	p.t.Helper()
	complete := make(chan struct{})
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	err := chromedp.Listen(ctx, func(event any) { // in the order of the browser
		switch e := event.(type) {
		case *tracing.EventDataCollected:
			for _, value := range e.Value {
				var event traceEvent
				if json.Unmarshal(value, &event) == nil {
					events = append(events, event)
				}
			}
		case *tracing.EventTracingComplete:
			close(complete)
		}
	})
	if err != nil {
		p.t.Fatal(err)
	}
	command(p, tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{
		IncludedCategories: []string{"devtools.timeline", "blink.user_timing", "loading"}, ExcludedCategories: []string{"*"},
	}})
	do()
	command(p, tracing.End, cdp.Empty{})
	select {
	case <-complete:
	case <-time.After(hookgatetest.Patience):
		p.t.Fatal("the trace does not end")
	}
	return events
}

// first returns when something first happened after a time; of what takes long, its end.
func (events trace) first(t testing.TB, name string, after float64) float64 {
	t.Helper()
	found := 0.0
	for _, e := range events {
		// The page before it, which is blank, starts too.
		if e.Name == name && e.At > after && (name != "navigationStart" || e.Args.Data.URL != "") && (found == 0 || e.At+e.Duration < found) {
			found = e.At + e.Duration
		}
	}
	if found == 0 {
		t.Fatalf("the trace has no %q among %d events", name, len(events))
	}
	return found
}
