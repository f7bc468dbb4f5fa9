package guard

import (
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// Outcome is why a request passed or not, in one word: a metric label and a log
// field, never told to the client.
type Outcome string

// The outcomes.
const (
	Allowed      Outcome = "allowed"
	Probe        Outcome = "probe"     // a vendor tests its URL: answered here
	Ambiguous    Outcome = "ambiguous" // two parsers could read the request differently
	NoRoute      Outcome = "route"
	Method       Outcome = "method"
	TooLarge     Outcome = "too_large"
	Missing      Outcome = "missing"
	Malformed    Outcome = "malformed"
	Unknown      Outcome = "unknown"
	Revoked      Outcome = "revoked"
	Expired      Outcome = "expired"
	WrongKind    Outcome = "kind"
	Vendor       Outcome = "vendor"
	SourceIP     Outcome = "source_ip" // a live credential, from an address it is not for
	Scope        Outcome = "scope"     // a live credential, that may not do this
	BadSignature Outcome = "signature" // a live credential, on a body that its vendor did not sign
	Throttled    Outcome = "throttled" // refused like the others, too often
	Stale        Outcome = "stale"     // nobody can tell: neither allowed nor refused
)

// Unauthorized reports whether o refuses the credential itself. Only such refusals
// are throttled.
func (o Outcome) Unauthorized() bool {
	switch o {
	case Missing, Malformed, Unknown, Revoked, Expired, WrongKind, Vendor:
		return true
	}
	return false
}

// Decision is what is to become of a request.
type Decision struct {
	Outcome Outcome
	// Kind is that of the route, "" where no route matched.
	Kind credential.Kind
	// Template is the path of the route as configured: what may be logged instead
	// of the path itself. "" where no route matched.
	Template string
	// Allow is the value of the Allow header, for Method.
	Allow string
	// Credential is the credential's id where one was found, refused or not.
	Credential uuid.UUID
	// digest and vendor are what was looked up, for Recheck.
	digest credential.Digest
	vendor string
	// Identity is set for Allowed and Probe: who the request comes from.
	Identity *keyring.Identity
	// ExpiresAt is the end of the credential in milliseconds since the Unix epoch; 0 =
	// never.
	ExpiresAt int64
	// Path is where an Allowed request goes, and RawPath the same as it is to be sent.
	// It is without the token unless that is forwarded. Both are "" where the path
	// takes the name of a connection that cannot stand in one.
	Path, RawPath string
	// Authorization vouches for the request, where the guard does; an Asserter makes it.
	Authorization string
	// object is what the request is about: the exception or the vendor.
	object string
	// Signature, where set, is still to be checked on the body of an Allowed request.
	Signature *SignatureCheck
	// RetryAfter is how long a client should wait, for Stale and Throttled.
	RetryAfter time.Duration
}
