package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hookgate/hookgate/guard"
)

// peers is what the guards and admin APIs of one configuration have to know of each
// other. They are provisioned in the order in which the configuration has them, so
// each says what it does as it comes along, and asks while it serves.
type peers struct {
	mu sync.RWMutex
	// asserted are the issuers of guards, required those of operators. Guards vouch to
	// Matcher with JWTs of their own, and none of these may open the admin API.
	asserted, required map[string]bool
	// policies are what the guards let through.
	policies []*guard.Policy
	// publicURLs are those of the admin APIs; needsURL is what cannot do without one.
	publicURLs []string
	needsURL   string
}

func NewPeers() *peers {
	return &peers{asserted: make(map[string]bool), required: make(map[string]bool)}
}

func errOneIssuer(issuer string) error {
	return fmt.Errorf("hookgate: %q is the issuer of assert_jwt; an admin API that requires it would let nobody in", issuer)
}

// AssertsAs notes the issuer of a guard's JWTs.
func (p *peers) AssertsAs(issuer string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asserted[issuer] = true
	if p.required[issuer] {
		return errOneIssuer(issuer)
	}
	return nil
}

// Requires notes the issuer that an admin API requires, "" for none.
func (p *peers) Requires(issuer string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.required[issuer] = true
	if p.asserted[issuer] {
		return errOneIssuer(issuer)
	}
	return nil
}

// IsAsserted reports whether JWTs of this issuer are a guard's.
func (p *peers) IsAsserted(issuer string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.asserted[issuer]
}

// Guards notes the policy of a guard, once it is complete.
func (p *peers) Guards(policy *guard.Policy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.policies = append(p.policies, policy)
	// Caddy provisions servers in any order, and a webhook URL must not depend on it.
	slices.SortStableFunc(p.policies, func(a, b *guard.Policy) int { return cmp.Compare(paths(a), paths(b)) })
}

func paths(policy *guard.Policy) string {
	var all strings.Builder
	for i := range policy.Routes {
		all.WriteString(policy.Routes[i].Template() + " ")
	}
	return all.String()
}

// Policies returns those of all guards.
func (p *peers) Policies() []*guard.Policy {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.Clone(p.policies)
}

// PublishedAt notes the public URL of an admin API.
func (p *peers) PublishedAt(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publicURLs = append(p.publicURLs, url)
	slices.Sort(p.publicURLs) // Caddy provisions servers in any order
}

// PublicURL returns what stands before the path in the URLs that vendors post to, "" where
// nothing says it.
func (p *peers) PublicURL() string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if len(p.publicURLs) == 0 {
		return ""
	}
	return p.publicURLs[0]
}

// ErrNoPublicURL: nothing says what a vendor that signs its URL posts to.
func ErrNoPublicURL(what string) error {
	return fmt.Errorf("hookgate: %s signs the URL that it posts to, and nothing says what that is: write public_url in the guard, or in hookgate_admin", what)
}

// NeedsPublicURL notes what needs one and has none of its own.
func (p *peers) NeedsPublicURL(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.needsURL = what
}

// checkPublicURL refuses a configuration in which something needs a public URL that none of
// its admin APIs has: only when all are provisioned it is known.
func (p *peers) checkPublicURL() error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.needsURL != "" && len(p.publicURLs) == 0 {
		return ErrNoPublicURL(p.needsURL)
	}
	return nil
}
