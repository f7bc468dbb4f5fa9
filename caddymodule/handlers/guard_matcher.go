package handlers

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/guard"
)

// The versions of Matcher.
const (
	matcher2 = "2"
	matcher4 = "4"
)

// Matcher says which version of Matcher stands behind the guard, and stands for the words
// that it needs. Those that are written beside it win.
type Matcher struct {
	// 2 for Matcher 2.x: callbacks, with a JWT and an idempotency key. 4 for 4.x:
	// callbacks and webhooks, with their tokens.
	Version string `json:"version,omitempty"`

	// AUTH_JWT_SECRET of a Matcher 2.x. A placeholder, so that it does not stand in the
	// configuration. Without it no JWT is sent: such a Matcher runs with its
	// authorisation off, and has one tenant.
	JWTSecret string `json:"jwt_secret,omitempty"`

	// How the JWT spells the tenant: minted, dashed or dashless. Default: minted.
	Tenant string `json:"tenant,omitempty"`

	// The tenants whose credentials may pass. By default all.
	Tenants []string `json:"tenants,omitempty"`

	// One sub claim for all credentials. By default each has its own.
	Subject string `json:"subject,omitempty"`
}

// expandMatcher adds to the guard what the version of Matcher needs.
func (g *Guard) expandMatcher() error {
	m := g.Matcher
	if m == nil {
		return nil
	}
	if len(g.Callback) == 0 {
		g.Callback = []string{defaultCallback}
	}
	switch m.Version {
	case matcher2:
		return g.expandMatcher2()
	case matcher4:
		if m.JWTSecret != "" || m.Tenant != "" || len(m.Tenants) > 0 || m.Subject != "" {
			return errors.New("hookgate: matcher 4 takes no further words: it gets no JWT")
		}
		if len(g.Webhook) == 0 {
			g.Webhook = []string{defaultWebhook}
		}
		g.ForwardToken = true
		return nil
	}
	return fmt.Errorf("hookgate: matcher %q: known versions are %s and %s", m.Version, matcher2, matcher4)
}

func (g *Guard) expandMatcher2() error {
	m := g.Matcher
	if g.IdempotencyKey == "" {
		g.IdempotencyKey = idempotencyBody
	}
	if m.JWTSecret != "" {
		if g.AssertJWT == nil {
			g.AssertJWT = new(AssertJWT)
		}
		if g.AssertJWT.Secret == "" {
			g.AssertJWT.Secret = m.JWTSecret
		}
		if _, given := g.AssertJWT.Claims["type"]; !given {
			// Matcher looks up the rights of a product for any type but normal-user.
			g.AssertJWT.Claims = withClaim(g.AssertJWT.Claims, "type", "application")
		}
	}
	if err := g.readTenants(); err != nil {
		return err
	}
	switch {
	case g.AssertJWT != nil:
		return nil
	case m.Tenant != "" || m.Subject != "":
		return errors.New("hookgate: matcher 2: tenant and subject are about a JWT, and without jwt_secret there is none")
	case len(g.policy.Tenants) != 1:
		return errors.New("hookgate: matcher 2: without jwt_secret Matcher takes everybody for one tenant; tenants must name that one")
	}
	return nil
}

// withClaim returns claims and one more. It does not change the map, which is the
// configuration's.
func withClaim(claims map[string]string, name, value string) map[string]string {
	more := map[string]string{name: value}
	for name, value := range claims {
		more[name] = value
	}
	return more
}

func (g *Guard) readTenants() error {
	for _, text := range g.Matcher.Tenants {
		text, err := grammar.Resolve("matcher tenants", text)
		if err != nil {
			return err
		}
		tenant, err := bearer.ParseTenant(text)
		if err != nil {
			return errors.New("hookgate: matcher tenants: one is not a UUID")
		}
		if g.policy.Tenants[tenant] {
			return fmt.Errorf("hookgate: matcher tenants: %s is given twice", tenant)
		}
		if g.policy.Tenants == nil {
			g.policy.Tenants = make(map[uuid.UUID]bool)
		}
		g.policy.Tenants[tenant] = true
	}
	return nil
}

// assertFor puts into the JWT what the version of Matcher has to say of it.
func (m *Matcher) assertFor(a *guard.Assertion) (err error) {
	if m == nil {
		return nil
	}
	a.Tenant = m.Tenant
	if a.Tenant == "" {
		a.Tenant = guard.SpelledMinted
	}
	if m.Subject != "" {
		a.Subject, err = grammar.Resolve("matcher subject", m.Subject)
	}
	return err
}

// parseMatcher parses the word and its block, which may be left out:
//
//	matcher 2|4 {
//	    jwt_secret <secret>
//	    tenant     minted|dashed|dashless
//	    tenants    <uuid>...
//	    subject    <sub>
//	}
func parseMatcher(d *caddyfile.Dispenser) (*Matcher, error) {
	m := new(Matcher)
	var err error
	if m.Version, err = grammar.OneArg(d); err != nil {
		return nil, err
	}
	if m.Version != matcher2 && m.Version != matcher4 {
		return nil, d.Errf("matcher %s: known versions are %s and %s", m.Version, matcher2, matcher4)
	}
	return m, m.Words().Parse(d, "matcher")
}

func (m *Matcher) Words() grammar.Words {
	return grammar.Words{
		"jwt_secret": grammar.Into(&m.JWTSecret, grammar.OneArg),
		"tenant":     grammar.Into(&m.Tenant, grammar.OneArg),
		"tenants":    grammar.Into(&m.Tenants, grammar.SomeArgs),
		"subject":    grammar.Into(&m.Subject, grammar.OneArg),
	}
}
