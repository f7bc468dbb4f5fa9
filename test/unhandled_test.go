package test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestNothingBehindTheGuard: what is let through and then answered by nobody must not
// look delivered.
func TestNothingBehindTheGuard(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	text := g.config.text(t, g.ports)
	at := strings.Index(text, "\t"+terminal+" ")
	end := at + strings.Index(text[at:], "\n\t}\n") + len("\n\t}\n")
	g.write(text[:at] + text[end:])
	g.Reload(reloaded)
	a := g.use(t, c)
	wantProblem(t, a, http.StatusInternalServerError, "HKG-1500")
	g.wantLogged(t, a, "there is no handler behind the guard", c)
}

// TestUpstreamUnreachable: the vendor learns that the event was not sent.
func TestUpstreamUnreachable(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	a := g.use(t, c)
	wantProblem(t, a, http.StatusBadGateway, "HKG-1502")
	if !strings.Contains(string(a.body), "was not sent") {
		t.Errorf("%s", a.body)
	}
	g.wantLogged(t, a, "the upstream did not answer", c)
}

// TestUpstreamFailures: what the vendor got and what went wrong are in one line of the
// log.
func TestUpstreamFailures(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, patience: "100ms"})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	for _, test := range []struct {
		status int
		code   string
		says   string
		answer http.HandlerFunc
	}{
		{http.StatusGatewayTimeout, "HKG-1504", "may have got the request", func(http.ResponseWriter, *http.Request) { <-done }},
		{http.StatusBadGateway, "HKG-1502", "may have been delivered", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		u.answerWith(test.answer)
		a := g.use(t, c)
		wantProblem(t, a, test.status, test.code)
		if !strings.Contains(string(a.body), test.says) {
			t.Errorf("%d does not say that it %s: %s", test.status, test.says, a.body)
		}
		g.wantLogged(t, a, "the upstream did not answer", c)
	}
}

// TestNobodysHost: what is sent to a Host of no site is refused, and the log says why in
// one line, without the Host.
func TestNobodysHost(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	own := fmt.Sprintf("://:%d {", g.ports.Vendors)
	g.write(strings.Replace(g.config.text(t, g.ports), own, strings.Replace(own, "//", "//hooks.example.com", 1), 1))
	g.Reload(reloaded)
	a := g.use(t, c)
	wantProblem(t, a, http.StatusMisdirectedRequest, "HKG-1421")
	id := `"request_id":"` + a.header.Get("X-Request-Id") + `"`
	hookgatetest.Eventually(t, "the log has the line of the request", func() bool { return strings.Contains(g.Output.String(), id+`,"status"`) })
	for line := range strings.Lines(g.Output.String()) {
		if strings.Contains(line, id) && !strings.Contains(line, accessLog) && !strings.Contains(line, `"msg":"refused: no site of the server is for the Host"`) {
			t.Errorf("the log says %s", line)
		}
	}
}

// accessLog is in every line of the access log.
const accessLog = `"logger":"http.log.access"`

// wantLogged checks that a refusal is in one line of the log, with its request id.
func (g *gate) wantLogged(t testing.TB, a answer, message string, c credential) {
	t.Helper()
	id := `"request_id":"` + a.header.Get("X-Request-Id") + `"`
	hookgatetest.Eventually(t, "the log has the line of the request", func() bool { return strings.Contains(g.Output.String(), id+`,"status"`) })
	for line := range strings.Lines(g.Output.String()) {
		if !strings.Contains(line, id) || strings.Contains(line, accessLog) || strings.Contains(line, `"logger":"http.handlers.reverse_proxy"`) {
			continue
		}
		for _, want := range []string{`"level":"error"`, `"msg":"` + message + `"`, `"credential":"` + c.id + `"`, `"status":` + strconv.Itoa(a.status)} {
			if !strings.Contains(line, want) {
				t.Errorf("%s is not in %s", want, line)
			}
		}
	}
	if n := strings.Count(g.Output.String(), id+`,"status"`); n != 1 {
		t.Errorf("%d lines of ours have the request id", n)
	}
}
