package admin

import (
	"math"
	"strconv"
	"time"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/problem"
)

// challenge is RFC 6750's. It names no error where the request had no token.
const challenge = `Bearer realm="hookgate"`

// bearerFaults say what is wrong with a bearer token, for people.
var bearerFaults = map[bearer.Reason]string{
	bearer.NoToken:        "The request carries no bearer token.",
	bearer.TwoTokens:      "There is more than one Authorization header.",
	bearer.TooLong:        "The Authorization header is too long.",
	bearer.NotJWT:         "The bearer token is not a JWT.",
	bearer.BadSignature:   "The signature of the bearer token cannot be verified.",
	bearer.CriticalHeader: "The bearer token has critical headers that are not understood.",
	bearer.Expired:        "The bearer token has expired.",
	bearer.NotYetValid:    "The bearer token is not valid yet.",
	bearer.WrongIssuer:    "The bearer token is from another issuer.",
	bearer.WrongAudience:  "The bearer token is for another audience.",
	bearer.NoClaim:        "The bearer token lacks a required claim; exp is one.",
	bearer.LongLived:      "The bearer token is valid for too long.",
	bearer.OfGuard:        "The bearer token is a guard's, not an operator's.",
	bearer.BadSubject:     "The sub claim of the bearer token is no text, is empty, or begins with hookgate, which no operator's does.",
	bearer.BadRoles:       "A role claim of the bearer token is neither a string nor a list of strings.",
	bearer.BadTenant:      "The tenant claim of the bearer token is neither a UUID nor a list of UUIDs.",
	bearer.TwoTenants:     "The tenant claims of the bearer token name different tenants.",
	bearer.Invalid:        "The bearer token is not valid.",
	bearer.SessionOver:    "The session of the console has ended: sign in again.",
}

// refuseBearer says why a bearer token opens nothing.
func refuseBearer(r *bearer.Refusal) *detail {
	switch r.Reason {
	case bearer.NoTenant:
		return refuse(problem.NoTenant)
	case bearer.NoChoice:
		return refuse(problem.TenantChoice)
	case bearer.WrongChoice:
		return refuse(problem.TenantChoice).because("X-Hookgate-Tenant names no tenant of the bearer token, or is given twice.")
	case bearer.CrossSite:
		return refuse(problem.CrossSite)
	case bearer.NoKeys:
		// After a 401 a client would throw away a token that may be good.
		return refuse(problem.NoKeys).with("Retry-After", seconds(r.RetryAfter))
	}
	header := challenge
	if r.Reason != bearer.NoToken && r.Reason != bearer.SessionOver {
		header += `, error="invalid_token"`
	}
	return refuse(problem.Unauthenticated).because(bearerFaults[r.Reason]).with("WWW-Authenticate", header)
}

// seconds writes a Retry-After: whole seconds, and never an invitation to try at once.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
