package matcher

import (
	"net/http"
	"slices"
)

// enter lets a caller in as 2.x does: by the JWT, then by the authorisation service, then
// by the tenant, whose data is that of who.tenant from here on.
func (m *V2) enter(w http.ResponseWriter, r *http.Request) (who caller, ok bool) {
	if len(m.Secret) == 0 {
		return caller{tenant: DefaultTenant}, true
	}
	who, status := identify(r, m.Secret, m.MultiTenant)
	switch status {
	case 0:
	case http.StatusForbidden:
		m.fail(w, status, "MTCH-0004", "tenant claim required")
		return who, false
	default:
		m.fail(w, status, "MTCH-0003", "invalid authorization token")
		return who, false
	}
	if m.Authorise != nil {
		if status := m.Authorise(who.role); status != http.StatusOK {
			m.refuse(status)
			http.Error(w, http.StatusText(status), status) // text/plain
			return who, false
		}
	}
	switch {
	case m.knows(who.tenant):
		return who, true
	case m.MultiTenant:
		m.fail(w, http.StatusNotFound, "TENANT_NOT_FOUND", "tenant not found: "+who.tenant)
		return who, false
	}
	who.tenant = DefaultTenant
	return who, true
}

// knows reports whether there is a schema of exactly this name.
func (m *V2) knows(tenant string) bool {
	_, exceptions := m.Exceptions[tenant]
	_, connections := m.Connections[tenant]
	return exceptions || connections
}

func (m *V2) has(tenant, exception string) bool {
	return slices.Contains(m.Exceptions[tenant], exception)
}
