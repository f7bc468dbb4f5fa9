package guard

import (
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/store"
)

// Outcome is why a request passed or not, in one word: a metric label and a log
// field, never told to the client.
type Outcome string

// The outcomes.
const (
	Allowed   Outcome = "allowed"
	Probe     Outcome = "probe"     // a vendor tests its URL: answered here
	Ambiguous Outcome = "ambiguous" // two parsers could read the request differently
	NoRoute   Outcome = "route"
	Method    Outcome = "method"
	TooLarge  Outcome = "too_large"
	Missing   Outcome = "missing"
	Malformed Outcome = "malformed"
	Unknown   Outcome = "unknown"
	Revoked   Outcome = "revoked"
	Expired   Outcome = "expired"
	WrongKind Outcome = "kind"
	Vendor    Outcome = "vendor"
	Stale     Outcome = "stale" // nobody can tell: neither allowed nor refused
)

// Decision is what is to become of a request.
type Decision struct {
	Outcome Outcome
	// Kind is that of the route, "" where no route matched.
	Kind store.Kind
	// Template is the path of the route as configured: what may be logged instead
	// of the path itself. "" where no route matched.
	Template string
	// Allow is the value of the Allow header, for Method.
	Allow string
	// Credential is the credential's id where one was found, refused or not.
	Credential uuid.UUID
	// Identity and Path are set for Allowed: who the request comes from, and the path
	// to forward, without the token.
	Identity *store.Identity
	Path     string
	// RetryAfter is how long a client should wait, for Stale.
	RetryAfter time.Duration
}
