package guard

// StripIdentity deletes from the header of a request that no guard has decided on
// whatever would tell the upstream who it comes from, in every alias.
func StripIdentity(header map[string][]string) {
	for name := range header {
		if isAlias(name, HeaderTenant) || hasAliasPrefix(name, identityPrefix) {
			delete(header, name)
		}
	}
}
