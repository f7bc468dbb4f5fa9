package fronts

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// clientAddress: the upstream is told one address, that of the proxy's client, whatever
// the client says of itself.
func (s setup) clientAddress(t *testing.T) {
	for name, fields := range map[string][]string{
		"says nothing":       nil,
		"forges":             {"X-Forwarded-For: " + forged},
		"forges a chain":     {"X-Forwarded-For: " + forged + ", 127.0.0.1"},
		"forges lines":       {"X-Forwarded-For: " + forged, "X-Forwarded-For: 127.0.0.1"},
		"forges a word":      {"X-Forwarded-For: unknown"},
		"forges with a port": {"X-Forwarded-For: " + forged + ":443"},
		"forges other names": {"Forwarded: for=" + forged, "X-Real-IP: " + forged, "True-Client-IP: " + forged, "CF-Connecting-IP: " + forged, "X-Forwarded-User: " + forged},
		"nominates":          {"Connection: X-Forwarded-For, X-Tenant-Id"},
		"with underscores":   {"X_Forwarded_For: " + forged},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.callbackRequest()
			r.fields = append(r.fields, fields...)
			a := s.proxy.send(r)
			if s.nominated != 0 && a.status == s.nominated && name == "nominates" {
				return
			}
			wantTaken(t, a)
			got := s.gate.upstream.one(t)
			if lines := got.header["X-Forwarded-For"]; len(lines) != 1 || lines[0] != vendor {
				t.Errorf("X-Forwarded-For: %q, want %s", lines, vendor)
			}
			if strings.Contains(got.String(), forged) || len(got.header["X-Tenant-Id"]) != 1 {
				t.Errorf("at the upstream:\n%s", got)
			}
		})
	}
	r := s.callbackRequest()
	wantTaken(t, s.proxy.send(r))
	got := s.gate.upstream.one(t)
	scheme := "http"
	if s.tls && s.wraps == "" { // over the PROXY protocol nobody says it
		scheme = "https"
	}
	if got.header.Get("X-Forwarded-Proto") != scheme {
		t.Errorf("X-Forwarded-Proto: %q, want %q", got.header["X-Forwarded-Proto"], scheme)
	}
	if !s.foreignHost && got.header.Get("X-Forwarded-Host") != host {
		t.Errorf("X-Forwarded-Host: %q", got.header["X-Forwarded-Host"])
	}
}

// listedAddresses: a vendor's list is compared with the proxy's client.
func (s setup) listedAddresses(t *testing.T) {
	for _, test := range []struct {
		from, says string
		passes     bool
	}{
		{allowed, "", true},
		{allowed, forged, true},
		{elsewhere, "", false},
		{elsewhere, allowed, false},
		{elsewhere, allowed + ", 127.0.0.1", false},
	} {
		r := s.webhookRequest(s.gate.listed)
		r.from = test.from
		if test.says != "" {
			r.fields = []string{"X-Forwarded-For: " + test.says}
		}
		a := s.proxy.send(r)
		if !test.passes {
			wantProblem(t, a, http.StatusForbidden, "HKG-1403")
			s.gate.upstream.none(t)
			continue
		}
		wantTaken(t, a)
		if got := s.gate.upstream.one(t).header.Get("X-Forwarded-For"); got != allowed {
			t.Errorf("X-Forwarded-For: %q", got)
		}
	}
}

// redirect: who comes to port 80 is sent to TLS by a redirect that keeps the method.
func (s setup) redirect(t *testing.T) {
	r := s.webhookRequest(s.gate.webhook)
	r.target += "?a=%7E"
	a := send(nil, fmt.Sprintf("127.0.0.1:%d", s.proxy.HTTP), r)
	port := fmt.Sprintf(":%d", s.proxy.HTTPS)
	if where := strings.Replace(a.header.Get("Location"), port, "", 1); a.status != http.StatusPermanentRedirect || where != "https://"+host+r.target {
		t.Errorf("%s to %q", a, where)
	}
	s.gate.upstream.none(t)
}

// unknownHost: a request for a host that nobody serves is never told that it was taken.
func (s setup) unknownHost(t *testing.T) {
	r := s.callbackRequest()
	r.host = "other.example.net"
	a := s.proxy.send(r)
	if s.foreignHost { // the site takes any
		wantTaken(t, a)
		s.gate.upstream.one(t)
		return
	}
	if a.err != nil || a.status < 400 || a.status >= 500 {
		t.Errorf("%s", a)
	}
	s.gate.upstream.none(t)
}

// TestForeignHost: behind a proxy that sends an address of its own as Host, a site with a
// name answers that it is not the one, and not an empty 200.
func TestForeignHost(t *testing.T) {
	t.Parallel()
	f := named(t, "nginx-default")
	f.foreignHost = false // the site has a name
	g := newGate(t, f)
	p := startProxy(t, f, g)
	g.start()
	s := setup{f, g, p}
	for _, r := range []request{s.callbackRequest(), s.webhookRequest(g.webhook), {target: "/"}} {
		a := p.send(r)
		if a.status != http.StatusMisdirectedRequest || a.code() == "" {
			t.Errorf("%s, want a problem with 421", a)
		}
	}
	g.upstream.none(t)
}

// TestUnknownClient: a proxy that says no more than that it does not know the client does
// not give the word to what the client itself wrote.
func TestUnknownClient(t *testing.T) {
	t.Parallel()
	f := named(t, "squid")
	f.further = "forwarded_for off\n"
	g := newGate(t, f)
	s := setup{f, g, startProxy(t, f, g)}
	g.start()
	s.awaitUp(t)
	for _, says := range []string{"", allowed} {
		r := s.webhookRequest(g.listed)
		r.from = allowed
		c := s.callbackRequest()
		if says != "" {
			r.fields = append(r.fields, "X-Forwarded-For: "+says)
			c.fields = append(c.fields, "X-Forwarded-For: "+says)
		}
		wantProblem(t, s.proxy.send(r), http.StatusForbidden, "HKG-1403")
		g.upstream.none(t)
		wantTaken(t, s.proxy.send(c))
		if got := g.upstream.one(t); got.header["X-Forwarded-For"] != nil {
			t.Errorf("X-Forwarded-For: %q", got.header["X-Forwarded-For"])
		}
	}
}
