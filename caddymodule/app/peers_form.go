package app

import "github.com/hookgate/hookgate/guard"

// Guards notes what a guard lets through.
func (p *peers) Guards(policy *guard.Policy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.policies = append(p.policies, policy)
}

// HasForm reports whether path has the form of a guarded route of any guard.
func (p *peers) HasForm(path string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, policy := range p.policies {
		if policy.HasForm(path) {
			return true
		}
	}
	return false
}
