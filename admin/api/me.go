package api

import (
	"time"

	"github.com/google/uuid"
)

// MePath is where operators learn who they are to the server.
const MePath = "/v1/me"

// TenantHeader picks the tenant of a request of somebody who may act for several.
const TenantHeader = "X-Hookgate-Tenant"

// Me is the operator who asks.
type Me struct {
	Subject string      `json:"subject,omitempty" doc:"The sub of the bearer token." example:"alice@example.com"`
	Role    string      `json:"role" enum:"none,viewer,minter,admin" example:"admin"`
	Tenant  uuid.UUID   `json:"tenant,omitzero" format:"uuid" doc:"The tenant of this request. Absent where there are several and X-Hookgate-Tenant names none." example:"0b5cf6a2-6a3d-4c52-9a2b-2f1d7c9e4a01"`
	Tenants []uuid.UUID `json:"tenants" doc:"All tenants that the operator may act for." example:"[\"0b5cf6a2-6a3d-4c52-9a2b-2f1d7c9e4a01\"]"`
	// ExpiresAt is when the bearer token, or the console session, ends.
	ExpiresAt time.Time `json:"expiresAt" doc:"When the bearer token, or the session of the console, ends." example:"2026-01-02T04:04:05Z"`
}
