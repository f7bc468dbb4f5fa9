package command

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/internal/upstream"
	"github.com/hookgate/hookgate/store"
)

// resolveTimeout bounds how long the name of an upstream is looked for.
const resolveTimeout = 2 * time.Second

// lookupHost is a resolver's.
type lookupHost func(ctx context.Context, host string) ([]string, error)

// checkLive finds what a configuration that loads still lacks to go live: none of it breaks
// a guarantee, and all of it surprises whoever meant something else.
func checkLive(ctx context.Context, servers map[string]*caddyhttp.Server, lookup lookupHost) ([]store.Finding, error) {
	var findings []store.Finding
	guards := 0
	for _, server := range servers {
		s := serving{named: server.NamedRoutes}
		if err := s.walk(server.Routes, false); err != nil {
			return nil, err
		}
		if server.Errors != nil { // these come after an error, past whatever guard there was
			if err := s.walk(server.Errors.Routes, false); err != nil {
				return nil, err
			}
		}
		listen := strings.Join(server.Listen, " ")
		say := func(check, format string, args ...any) {
			findings = append(findings, store.Finding{Check: check, Severity: store.SeverityWarning, Detail: "on " + listen + " " + fmt.Sprintf(format, args...)})
		}
		guards += s.guards
		if s.guards > 0 && len(s.upstreams) == 0 {
			say("proxy", "no proxy stands behind the guard: write hookgate_proxy, or what is let through gets 500")
		}
		if s.open {
			say("guard", "a reverse_proxy has no guard in front of it: whoever comes there reaches its upstream")
		}
		if s.patient {
			say("timeout", "a reverse_proxy waits for its upstream without a limit, and vendors give up after 5 s: write response_header_timeout 4s in its transport http")
		}
		if s.admin && slices.ContainsFunc(server.Listen, everywhere) {
			say("admin API", "the admin API listens on every address of this machine: write bind 127.0.0.1, or keep vendors from the port in another way")
		}
		for _, name := range s.upstreams {
			if host := hostOf(name); host != "" && !resolves(ctx, lookup, host) {
				say("upstream", "the name of an upstream is not known here: %s", host)
			}
		}
		for word, written := range s.asked {
			if host := hostOfURL(word, written); host != "" && !resolves(ctx, lookup, host) {
				say(word, "the name in %s is not known here: %s", word, host)
			}
		}
	}
	if guards == 0 {
		findings = append(findings, store.Finding{Check: "guard", Severity: store.SeverityWarning, Detail: "no site has a guard: write hookgate in that of the vendors"})
	}
	slices.SortFunc(findings, func(a, b store.Finding) int { return strings.Compare(a.Check+a.Detail, b.Check+b.Detail) })
	return slices.Compact(findings), nil
}

// serving is what the handlers of a server do.
type serving struct {
	guards    int
	admin     bool
	upstreams []string          // as configured
	asked     map[string]string // URLs of servers that the admin API asks, by their word
	open      bool              // a reverse_proxy comes without a guard
	patient   bool              // a reverse_proxy has no timeout

	named   map[string]*caddyhttp.Route
	invoked []string // the named routes that are being walked
}

// walk goes through routes in the order in which requests do.
func (s *serving) walk(routes caddyhttp.RouteList, guarded bool) error {
	for _, route := range routes {
		for _, raw := range route.HandlersRaw {
			var handler struct {
				Handler   string
				Upstream  string
				Upstreams []struct{ Dial string }
				Transport struct {
					Timeout caddy.Duration `json:"response_header_timeout"`
				}
				Routes      caddyhttp.RouteList
				Name        string // of a named route
				Connections struct{ Matcher string }
				JWT         struct {
					JWKSURL string `json:"jwks_url"`
				}
			}
			if err := json.Unmarshal(raw, &handler); err != nil {
				return err
			}
			switch handler.Handler {
			case "hookgate":
				guarded = true
				s.guards++
			case "hookgate_admin":
				s.admin = true
				s.asked = map[string]string{"connections": handler.Connections.Matcher, "jwks_url": handler.JWT.JWKSURL}
			case "hookgate_proxy":
				s.upstreams = append(s.upstreams, handler.Upstream)
			case "reverse_proxy":
				for _, to := range handler.Upstreams {
					s.upstreams = append(s.upstreams, to.Dial)
				}
				s.open, s.patient = s.open || !guarded, s.patient || handler.Transport.Timeout == 0
			case "subroute":
				if err := s.walk(handler.Routes, guarded); err != nil {
					return err
				}
			case "invoke":
				if err := s.invoke(handler.Name, guarded); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// invoke goes through a named route. One that invokes itself is gone through once.
func (s *serving) invoke(name string, guarded bool) error {
	route := s.named[name]
	if route == nil || slices.Contains(s.invoked, name) {
		return nil
	}
	s.invoked = append(s.invoked, name)
	defer func() { s.invoked = s.invoked[:len(s.invoked)-1] }()
	return s.walk(caddyhttp.RouteList{*route}, guarded)
}

// everywhere reports whether a listener is on all addresses.
func everywhere(listen string) bool {
	address, err := caddy.ParseNetworkAddress(listen)
	return err == nil && !address.IsUnixNetwork() && (address.Host == "" || address.Host == "0.0.0.0" || address.Host == "::")
}

// hostOf returns the name that an upstream is found by, "" where there is none or it is
// known only when a request comes.
func hostOf(name string) string {
	resolved, err := grammar.Resolve("upstream", name)
	if err != nil {
		return ""
	}
	address, err := upstream.ParseAddress(resolved)
	if err != nil {
		return ""
	}
	return address.Hostname()
}

// hostOfURL is hostOf for a URL.
func hostOfURL(word, written string) string {
	resolved, err := grammar.Resolve(word, written)
	if err != nil {
		return ""
	}
	u, err := url.Parse(resolved)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func resolves(ctx context.Context, lookup lookupHost, host string) bool {
	if net.ParseIP(host) != nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	addresses, err := lookup(ctx, host)
	return err == nil && len(addresses) > 0
}
