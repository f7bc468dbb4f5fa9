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
