package test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// TestProbe: vendors ask for a webhook URL before they use it.
func TestProbe(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr})
		viewer := g.operator(t, tenantA, "viewer")
		w := g.operator(t, tenantA, "admin").mintWebhook("pluggy")
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			a := g.send(t, method, g.Vendors+w.path(), nil)
			wantStatus(t, a, http.StatusNoContent)
			if a.header.Get("Cache-Control") != "no-store" || len(a.body) > 0 {
				t.Errorf("%s: %v %q", method, a.header, a.body)
			}
		}
		u.wantNothing(t)
		// The list shows a use at once, before it is flushed.
		if used := viewer.find(w).LastUsedAt; used != "" {
			t.Errorf("a probe counts as a use: %s", used)
		}
		wantStatus(t, g.use(t, w), http.StatusOK)
		if viewer.find(w).LastUsedAt == "" {
			t.Error("a use does not count")
		}
	})
}

// TestRefusalDoesNotWaitForTheBody: a client that withholds the body it announced
// is answered all the same, and is not asked for the body.
func TestRefusalDoesNotWaitForTheBody(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{"max_body 1MB"}})
	w := g.operator(t, tenantA, "admin").mintWebhook("pluggy")
	unknown := "X-Callback-Token: " + plausible("mcb_", 1)
	for _, test := range []struct {
		name   string
		lines  []string
		part   string // what arrives of the body
		status int
		code   string
	}{
		{"nothing of a short body", []string{"POST " + callbackPath + " HTTP/1.1", unknown, "Content-Length: 10"}, "", 401, "HKG-1401"},
		{"half of a short body", []string{"POST " + callbackPath + " HTTP/1.1", unknown, "Content-Length: 10"}, "01234", 401, "HKG-1401"},
		{"nothing of a long body", []string{"POST " + callbackPath + " HTTP/1.1", unknown, "Content-Length: 900000"}, "", 401, "HKG-1401"},
		{"an endless body", []string{"POST " + callbackPath + " HTTP/1.1", unknown, "Transfer-Encoding: chunked"}, "5\r\n01234\r\n", 401, "HKG-1401"},
		{"too long a body", []string{"POST " + callbackPath + " HTTP/1.1", unknown, "Content-Length: 9000000"}, "", 413, "HKG-1413"},
		{"no route", []string{"POST /nowhere HTTP/1.1", "Content-Length: 10"}, "", 404, "HKG-1404"},
		{"ambiguous", []string{"POST // HTTP/1.1", "Content-Length: 10"}, "", 400, "HKG-1400"},
		{"method", []string{"PUT " + callbackPath + " HTTP/1.1", "Content-Length: 10"}, "", 405, "HKG-1405"},
		{"expecting to continue", []string{"POST " + callbackPath + " HTTP/1.1", unknown, "Content-Length: 10", "Expect: 100-continue"}, "", 401, "HKG-1401"},
		{"expecting to continue, too long", []string{"POST " + callbackPath + " HTTP/1.1", unknown, "Content-Length: 9000000", "Expect: 100-continue"}, "", 413, "HKG-1413"},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn := g.dial(t)
			conn.write(append(test.lines, "Host: hooks.example.com")...)
			if _, err := conn.Write([]byte(test.part)); err != nil {
				t.Fatal(err)
			}
			wantProblem(t, conn.answer(http.MethodPost), test.status, test.code) // a 100 would be read as the answer
			conn.wantEnd()
			u.wantNothing(t)
		})
	}
	t.Run("GET with a body", func(t *testing.T) {
		conn := g.dial(t)
		conn.write("GET "+w.path()+" HTTP/1.1", "Host: hooks.example.com", "Content-Length: 10")
		wantProblem(t, conn.answer(http.MethodGet), http.StatusMethodNotAllowed, "HKG-1405")
		conn.wantEnd()
		u.wantNothing(t)
	})
}

// TestExpectContinue: a client with a good token is told to send its body.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	conn := g.dial(t)
	conn.write("POST "+callbackPath+" HTTP/1.1", "Host: hooks.example.com", "X-Callback-Token: "+c.token,
		"Content-Length: 10", "Expect: 100-continue")
	wantStatus(t, conn.answer(http.MethodPost), http.StatusContinue)
	if _, err := conn.Write([]byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	a := conn.answer(http.MethodPost)
	for a.status == http.StatusContinue { // both hookgate and the upstream say so
		a = conn.answer(http.MethodPost)
	}
	wantStatus(t, a, http.StatusOK)
	if got := u.one(t); got.body != "0123456789" || got.broken {
		t.Errorf("at the upstream: %v", got)
	}
}

// TestActualSize: a body that turns out too large is refused, and the upstream
// never takes it for a whole one.
func TestActualSize(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{"max_body 1KB"}})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	for _, size := range []int{1001, 5000, 3_000_000} {
		conn := g.dial(t)
		conn.write("POST "+callbackPath+" HTTP/1.1", "Host: hooks.example.com", "X-Callback-Token: "+c.token,
			"Transfer-Encoding: chunked")
		chunk := strings.Repeat("x", 500)
		go func() { // the answer may come before the last of it is sent
			for sent := 0; sent < size; sent += len(chunk) {
				chunk = chunk[:min(len(chunk), size-sent)]
				if _, err := conn.Write([]byte(hexLength(chunk) + "\r\n" + chunk + "\r\n")); err != nil {
					return
				}
			}
			conn.Write([]byte("0\r\n\r\n"))
		}()
		wantProblem(t, conn.answer(http.MethodPost), http.StatusRequestEntityTooLarge, "HKG-1413")
	}
	for _, got := range u.take() {
		if !got.broken {
			t.Errorf("the upstream took %d bytes for a whole body", len(got.body))
		}
	}
	wantStatus(t, g.use(t, c), http.StatusOK)
}

// TestRefusedClientsReadTheAnswer: a client that is refused while it sends reads why, on
// every listener. Its connection is not reset.
func TestRefusedClientsReadTheAnswer(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{"max_body 1MB"}})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	dead := "X-Callback-Token: " + plausible("mcb_", 1)
	for _, test := range []struct {
		name, base string
		lines      []string
		status     int
	}{
		{"dead token", g.Vendors, []string{"POST " + callbackPath + " HTTP/1.1", dead}, 401},
		{"dead token, to be closed", g.Vendors, []string{"POST " + callbackPath + " HTTP/1.1", dead, "Connection: close"}, 401},
		{"dead token, HTTP/1.0", g.Vendors, []string{"POST " + callbackPath + " HTTP/1.0", dead}, 401},
		{"too large", g.Vendors, []string{"POST " + callbackPath + " HTTP/1.1", "X-Callback-Token: " + c.token}, 413},
		{"no route", g.Vendors, []string{"POST /nowhere HTTP/1.1"}, 404},
		{"operators", g.Admin, []string{"POST /v1/credentials HTTP/1.1"}, 401},
		{"operators, HTTP/1.0", g.Admin, []string{"POST /v1/credentials HTTP/1.0"}, 401},
		{"probes", g.Status, []string{"POST /nowhere HTTP/1.1", "Connection: close"}, 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, test.base)
			half := 1 << 20
			if test.status == http.StatusUnauthorized { // the size is judged before the token
				half = 400 << 10
			}
			conn.write(append(test.lines, "Host: x", "Content-Length: "+strconv.Itoa(2*half))...)
			for range 2 {
				if _, err := io.WriteString(conn, strings.Repeat("x", half)); err != nil {
					t.Fatalf("while sending: %v", err)
				}
			}
			wantStatus(t, conn.answer(http.MethodPost), test.status)
			conn.wantEnd()
		})
	}
}
