package app

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
