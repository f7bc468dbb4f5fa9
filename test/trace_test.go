package test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	v1 "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const (
	vendorTrace  = "0af7651916cd43dd8448eb211c80319c"
	vendorSpan   = "b7ad6b7169203331"
	traceparent  = "Traceparent: 00-" + vendorTrace + "-" + vendorSpan
	stateCanary  = "canary-in-tracestate"
	methodCanary = "CANARYMETHOD"
)

// traceAttributes are the attributes that a span may have. docs/traces.md lists them.
var traceAttributes = []string{
	"hookgate.kind", "hookgate.outcome", "hookgate.result", "http.request.method", "http.response.status_code", "http.route",
}

// wantSpan checks a span's parent and its attributes, which are written as in "name=value".
func wantSpan(t testing.TB, span *v1.Span, parent string, want ...string) {
	t.Helper()
	var got []string
	for _, a := range span.Attributes {
		value := a.Value.GetStringValue()
		if value == "" {
			value = fmt.Sprint(a.Value.GetIntValue())
		}
		got = append(got, a.Key+"="+value)
		if !slices.Contains(traceAttributes, a.Key) {
			t.Errorf("span %s has %s", span.Name, a.Key)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("span %s has %q, want %q", span.Name, got, want)
	}
	if hex.EncodeToString(span.ParentSpanId) != parent || span.TraceState != "" {
		t.Errorf("span %s: parent %x, want %s; state %q", span.Name, span.ParentSpanId, parent, span.TraceState)
	}
}

func spanID(span *v1.Span) string  { return hex.EncodeToString(span.SpanId) }
func traceID(span *v1.Span) string { return hex.EncodeToString(span.TraceId) }

// wantParent checks what the upstream got.
func wantParent(t testing.TB, r received, parent, state string) {
	t.Helper()
	if got := strings.Join(r.header["Traceparent"], ", "); got != parent {
		t.Errorf("the upstream got traceparent %s, want %s", got, parent)
	}
	if got := strings.Join(r.header["Tracestate"], ", "); got != state {
		t.Errorf("the upstream got tracestate %q, want %q", got, state)
	}
}

// TestTraces: what a collector gets of requests of every kind, how it hangs together with
// the vendor's trace and with Matcher's, and that there is nothing in it of what was sent.
func TestTraces(t *testing.T) {
	t.Parallel()
	u, c := newUpstream(t), newCollector(t)
	g := start(t, config{
		store: embedded(t), upstream: u.addr, app: []string{"tracing", sealKey}, env: c.env(),
		guard: []string{"vendor pluggy {\n\t\t\treplay 1m\n\t\t}"},
	})
	admin := g.operator(t, tenantA, "admin")
	callback, webhook := admin.mintCallback("JIRA"), admin.mintVerified("pluggy", secretOfOne)
	secrets := canaries{
		callback.token: "callback token", webhook.token: "webhook token", secretOfOne: "vendor's secret", stateCanary: "tracestate", methodCanary: "method",
		"canary-of-the-query": "query", "canary-of-a-header": "header", "canary-of-the-body": "body", admin.jwt: "operator's JWT",
	}
	target := g.Vendors + callbackPath + "?q=canary-of-the-query"
	headers := []string{"X-Callback-Token: " + callback.token, "X-Canary: canary-of-a-header", "Tracestate: vendor=" + stateCanary}

	// A part of the vendor's trace.
	wantStatus(t, g.post(t, target, "canary-of-the-body", append(headers, traceparent+"-01")...), http.StatusOK)
	spans := c.take(t, 2)
	wantSpan(t, spans["guard"], vendorSpan, "hookgate.kind=callback", "hookgate.outcome=allowed", "http.request.method=POST",
		"http.response.status_code=200", "http.route=/v1/exceptions/{exceptionId}/callback")
	wantSpan(t, spans["upstream"], spanID(spans["guard"]), "http.response.status_code=200")
	wantParent(t, u.one(t), "00-"+vendorTrace+"-"+spanID(spans["upstream"])+"-01", "vendor="+stateCanary)
	if traceID(spans["guard"]) != vendorTrace || spans["guard"].Kind != v1.Span_SPAN_KIND_SERVER || spans["upstream"].Kind != v1.Span_SPAN_KIND_CLIENT {
		t.Errorf("%v", spans)
	}
	openMetrics := g.get(t, g.Status+"/metrics", "Accept: application/openmetrics-text; version=1.0.0")
	if !strings.Contains(string(openMetrics.body), `# {trace_id="`+vendorTrace+`"}`) {
		t.Error("no bucket leads to the trace")
	}

	// A trace that the vendor does not record.
	wantStatus(t, g.post(t, target, "", append(headers, traceparent+"-00")...), http.StatusOK)
	if got := u.one(t).header.Get("Traceparent"); !strings.HasPrefix(got, "00-"+vendorTrace+"-") || !strings.HasSuffix(got, "-00") || strings.Contains(got, vendorSpan) {
		t.Errorf("the upstream got traceparent %s", got)
	}

	// A trace of ours, for the vendor names none, or two.
	const event = `{"event":"paid"}`
	deliver := func(headers ...string) answer {
		return g.post(t, g.Vendors+webhook.path(), event, append(headers, signed(secretOfOne, event), "Tracestate: vendor="+stateCanary)...)
	}
	wantStatus(t, deliver(traceparent+"-01", traceparent+"-01"), http.StatusOK)
	spans = c.take(t, 4)
	route := "http.route=/v1/discovery/webhooks/{vendor}/{token}"
	wantSpan(t, spans["guard"], "", "hookgate.kind=webhook", "hookgate.outcome=allowed", "http.request.method=POST", "http.response.status_code=200", route)
	wantSpan(t, spans["proof"], spanID(spans["guard"]), "hookgate.result=ok")
	wantSpan(t, spans["replay"], spanID(spans["guard"]), "hookgate.result=new")
	wantSpan(t, spans["upstream"], spanID(spans["guard"]), "http.response.status_code=200")
	wantParent(t, u.one(t), "00-"+traceID(spans["guard"])+"-"+spanID(spans["upstream"])+"-01", "")

	// The same event again, which the upstream does not see.
	wantStatus(t, deliver(), http.StatusOK)
	spans = c.take(t, 3)
	wantSpan(t, spans["guard"], "", "hookgate.kind=webhook", "hookgate.outcome=replayed", "http.request.method=POST", "http.response.status_code=200", route)
	wantSpan(t, spans["replay"], spanID(spans["guard"]), "hookgate.result=delivered")

	// Refusals.
	wantStatus(t, g.send(t, methodCanary, target, nil, headers...), http.StatusMethodNotAllowed)
	wantSpan(t, c.take(t, 1)["guard"], "", "hookgate.kind=callback", "hookgate.outcome=method", "http.request.method=_OTHER",
		"http.response.status_code=405", "http.route=/v1/exceptions/{exceptionId}/callback")
	admin.revoke(callback)
	g.Reload(reloaded) // which keeps the way to the collector
	wantStatus(t, g.post(t, target, "", headers...), http.StatusUnauthorized)
	wantSpan(t, c.take(t, 1)["guard"], "", "hookgate.kind=callback", "hookgate.outcome=revoked", "http.request.method=POST",
		"http.response.status_code=401", "http.route=/v1/exceptions/{exceptionId}/callback")
	u.wantNothing(t)

	if inLane() && strings.Contains(g.Metrics(t), `hookgate_express_requests_total{result="served"} 0`) {
		t.Error("the express lane served nothing")
	}
	if g.stop() != 0 {
		t.Error("it does not end")
	}
	text := c.received()
	if !strings.Contains(text, `"service.name"`) || !strings.Contains(text, hookgatetest.Version) {
		t.Errorf("of whom it is, is not said:\n%s", text)
	}
	secrets.search(t, "the traces", text)
	secrets.search(t, "the metrics", string(openMetrics.body))
	secrets.search(t, "the log", g.Output.String())
}

// TestTracesOff: without the word nothing is sent, whatever the environment says, and what
// a vendor says of its trace passes as it is.
func TestTracesOff(t *testing.T) {
	t.Parallel()
	u, c := newUpstream(t), newCollector(t)
	for name, conf := range map[string]config{
		"no word":  {env: c.env()},
		"disabled": {env: append(c.env(), "OTEL_SDK_DISABLED=true"), app: []string{"tracing"}},
	} {
		t.Run(name, func(t *testing.T) {
			conf.store, conf.upstream = embedded(t), u.addr
			g := start(t, conf)
			token := g.operator(t, tenantA, "admin").mintCallback("JIRA").token
			wantStatus(t, g.post(t, g.Vendors+callbackPath, "", "X-Callback-Token: "+token, traceparent+"-01", "Tracestate: a=b"), http.StatusOK)
			wantParent(t, u.one(t), "00-"+vendorTrace+"-"+vendorSpan+"-01", "a=b")
			if metrics := g.get(t, g.Status+"/metrics", "Accept: application/openmetrics-text; version=1.0.0"); strings.Contains(string(metrics.body), "trace_id") {
				t.Error("there are exemplars")
			}
			g.stop()
			if text := c.received(); text != "" {
				t.Errorf("sent:\n%s", text)
			}
		})
	}
}

// TestTracesWithoutCollector: one that is not there costs no request, is in the log, and
// does not hold up the end. A password in a header that the SDK cannot read is not printed.
func TestTracesWithoutCollector(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, app: []string{"tracing"}, env: []string{
		fmt.Sprintf("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:%d", hookgatetest.FreePort(t)), "OTEL_BSP_SCHEDULE_DELAY=20", "OTEL_BSP_EXPORT_TIMEOUT=200",
		"OTEL_EXPORTER_OTLP_HEADERS=authorization canary-in-header",
	}})
	c := g.operator(t, tenantA, "admin").mintCallback("JIRA")
	wantStatus(t, g.use(t, c), http.StatusOK)
	hookgatetest.Eventually(t, "the log says that traces are lost", func() bool {
		return strings.Contains(g.Output.String(), `"msg":"traces are lost"`)
	})
	wantStatus(t, g.use(t, c), http.StatusOK)
	if code := g.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(g.Output.String(), "canary-in-header") {
		t.Error("the output has the header for the collector")
	}
}

// TestTracingThatIsNotThere: another way to a collector than the one there is does not load.
func TestTracingThatIsNotThere(t *testing.T) {
	t.Parallel()
	text := config{store: embedded(t), upstream: "127.0.0.1:1", app: []string{"tracing"}}.text(t, hookgatetest.FreePorts(t))
	cmd := hookgatetest.Serve(t, t.TempDir(), text)
	cmd.Env = append(cmd.Env, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
	stdout, stderr, code := hookgatetest.Run(t, cmd)
	if code == 0 || !strings.Contains(stdout+stderr, "OTEL_EXPORTER_OTLP_PROTOCOL is http/protobuf") {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
}
