package command

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/store"
)

const mirrorDialTimeout = 3 * time.Second

// checkMirrors tells whether the Matchers that mint tokens themselves can be reached. It
// connects and asks nothing: an operation takes an operator's JWT.
func checkMirrors(ctx context.Context, servers map[string]*caddyhttp.Server) (findings []store.Finding, err error) {
	for _, server := range servers {
		err := eachHandler(server.Routes, func(raw json.RawMessage, h handlerWords) error {
			if h.Handler != "hookgate_admin" {
				return nil
			}
			var admin struct{ Mirror *struct{ URL string } }
			if err := json.Unmarshal(raw, &admin); err != nil || admin.Mirror == nil {
				return err
			}
			finding := store.Finding{Check: "mirror", Severity: store.SeverityOK, Detail: fmt.Sprintf("on %s Matcher takes connections", strings.Join(server.Listen, " "))}
			if what := unreachable(ctx, admin.Mirror.URL); what != "" {
				finding.Severity = store.SeverityProblem
				finding.Detail = fmt.Sprintf("on %s %s: nothing can be minted, and revocations do not reach Matcher", strings.Join(server.Listen, " "), what)
			}
			findings = append(findings, finding)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return findings, nil
}

// unreachable says why a URL's server cannot be reached, in words that do not repeat the
// URL; "" if it can.
func unreachable(ctx context.Context, written string) string {
	text, err := grammar.Resolve("mirror", written)
	if err != nil {
		return "the URL of mirror cannot be resolved from the environment"
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return "the URL of mirror is not valid"
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	ctx, cancel := context.WithTimeout(ctx, mirrorDialTimeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
	if err != nil || len(addresses) == 0 {
		return "the name of Matcher in mirror does not resolve"
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return "Matcher cannot be reached at the URL of mirror"
	}
	conn.Close()
	return ""
}
