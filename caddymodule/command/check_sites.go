package command

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/store"
)

// checkSites tells which requests the sites of a server with a guard take, and which
// proxies have no guard in front.
func checkSites(servers map[string]*caddyhttp.Server) (findings []store.Finding, err error) {
	for _, server := range servers {
		var s sites
		if _, err := s.walk(server.Routes, nil, nil, unguarded); err != nil {
			return nil, err
		}
		listen := strings.Join(server.Listen, " ")
		if s.open {
			findings = append(findings, store.Finding{Check: "guard", Severity: store.SeverityProblem, Detail: fmt.Sprintf("on %s a hookgate_proxy has no guard in front of it and answers 500: write hookgate before it, or unguarded in its block", listen)})
		}
		if s.passed {
			findings = append(findings, store.Finding{Check: "guard", Severity: store.SeverityWarning, Detail: fmt.Sprintf("on %s a guard has a matcher and the hookgate_proxy behind it has none: what the guard does not take is 500 unless another handler takes it; write the same matcher at both, or both in a handle block", listen)})
		}
		for _, host := range s.certified {
			if !asksForCertificate(server, host) {
				findings = append(findings, store.Finding{Check: "client_cert", Severity: store.SeverityProblem, Detail: fmt.Sprintf("on %s a vendor needs a client certificate, and %s asks nobody for one: all its requests are refused; write tls { client_auth { mode request } } in that site, or from_header where TLS ends at a proxy", listen, cmp.Or(host, "the site"))})
			}
		}
		if hosts := s.hosts; !s.anyHost && len(hosts) > 0 {
			findings = append(findings, store.Finding{Check: "host", Severity: store.SeverityOK, Detail: fmt.Sprintf("on %s vendors must send %s as Host, any other one is 421, or 404 where a site without a name has the same port: a proxy in front has to pass it on", listen, strings.Join(hosts, " or "))})
		}
		if paths := s.paths; !s.anyPath && len(paths) > 0 {
			findings = append(findings, store.Finding{Check: "path", Severity: store.SeverityOK, Detail: fmt.Sprintf("on %s the guard stands under %s, any other path is 404 unless another handler takes it", listen, strings.Join(paths, " "))})
		}
	}
	slices.SortFunc(findings, func(a, b store.Finding) int { return strings.Compare(a.Check+a.Detail, b.Check+b.Detail) })
	return findings, nil
}

// sites is what is known of a server's guards.
type sites struct {
	// hosts and paths are those that a guard is limited to; anyHost and anyPath: one is not.
	hosts, paths     []string
	anyHost, anyPath bool
	// certified are the hosts of guards with a vendor that is known by the certificate of its
	// connection, "" for one of any host.
	certified []string
	// open: there is a proxy without a guard. passed: there is one that takes what the guard
	// before it does not.
	open, passed bool
}

// guarding says whether requests have passed a guard.
type guarding int

const (
	unguarded guarding = iota
	partly             // those that the guard's matcher takes, and no others
	guarded            // all of them, or only they as far as can be told
)

// walk goes through routes, which are limited to these hosts and paths, in the order in
// which requests do, with what they have passed by then. It returns what those have passed
// that go on behind the routes: where a proxy takes them all, what they had passed before.
func (s *sites) walk(routes caddyhttp.RouteList, hosts, paths []string, before guarding) (after guarding, err error) {
	entered, taken := before, false
	for _, route := range routes {
		matched := len(route.MatcherSetsRaw) > 0
		here := before
		if here == partly && matched { // perhaps by the guard's own matcher
			here = guarded
		}
		hosts, err := narrowed(hosts, route.MatcherSetsRaw, "host")
		if err != nil {
			return 0, err
		}
		paths, err := narrowed(paths, route.MatcherSetsRaw, "path")
		if err != nil {
			return 0, err
		}
		for _, raw := range route.HandlersRaw {
			var handler struct {
				Handler   string
				Unguarded bool
				Vendors   map[string]struct {
					ClientCert *struct {
						FromHeader string `json:"from_header"`
					} `json:"client_cert"`
				}
				Routes caddyhttp.RouteList
			}
			if err := json.Unmarshal(raw, &handler); err != nil {
				return 0, err
			}
			switch handler.Handler {
			case "hookgate":
				here = guarded
				before = passed(before, here, matched)
				s.anyHost, s.anyPath = s.anyHost || len(hosts) == 0, s.anyPath || len(paths) == 0
				s.hosts, s.paths = appendNew(s.hosts, hosts), appendNew(s.paths, paths)
				for _, vendor := range handler.Vendors {
					switch cert := vendor.ClientCert; {
					case cert == nil || cert.FromHeader != "":
					case len(hosts) == 0:
						s.certified = appendNew(s.certified, []string{""})
					default:
						s.certified = appendNew(s.certified, hosts)
					}
				}
			case "hookgate_proxy":
				s.open = s.open || here == unguarded && !handler.Unguarded
				s.passed = s.passed || here == partly && !handler.Unguarded
				taken = taken || !matched
			case "subroute":
				if here, err = s.walk(handler.Routes, hosts, paths, here); err != nil {
					return 0, err
				}
				before = passed(before, here, matched)
			}
		}
	}
	if taken {
		return entered, nil
	}
	return before, nil
}

// passed returns what requests have passed behind a route, which matched only some of them or
// all, and in which they passed within.
func passed(before, within guarding, matched bool) guarding {
	if matched && within > before {
		return partly
	}
	return max(before, within)
}

// narrowed returns what a route's matchers limit it to, where all its sets do; else what
// it was limited to before.
func narrowed(before []string, sets caddyhttp.RawMatcherSets, matcher string) (limits []string, err error) {
	for _, set := range sets {
		raw, ok := set[matcher]
		if !ok {
			return before, nil
		}
		var values []string
		if err := json.Unmarshal(raw, &values); err != nil {
			return nil, err
		}
		limits = appendNew(limits, values)
	}
	if limits == nil {
		return before, nil
	}
	return limits, nil
}

// asksForCertificate reports whether a server asks clients of a host for a certificate, by
// the first of its policies that is for the host.
func asksForCertificate(server *caddyhttp.Server, host string) bool {
	for _, policy := range server.TLSConnPolicies {
		var names []string
		if raw, limited := policy.MatchersRaw["sni"]; limited && json.Unmarshal(raw, &names) == nil && !slices.Contains(names, host) {
			continue
		}
		return policy.ClientAuthentication != nil && policy.ClientAuthentication.Active()
	}
	return false
}

func appendNew(all, more []string) []string {
	for _, value := range more {
		if !slices.Contains(all, value) {
			all = append(all, value)
		}
	}
	return all
}
