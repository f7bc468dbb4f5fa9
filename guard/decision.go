package guard

import (
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/proof"
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
	Disabled     Outcome = "disabled" // paused by an operator
	WrongKind    Outcome = "kind"
	Vendor       Outcome = "vendor"
	SourceIP     Outcome = "source_ip" // a live credential, from an address it is not for
	Scope        Outcome = "scope"     // a live credential, that may not do this
	BadSignature Outcome = "signature" // a live credential, on a request that its vendor did not prove to be its own
	Replayed     Outcome = "replayed"  // an event that was delivered before, or is under way
	WrongTenant  Outcome = "tenant"    // a live credential of a tenant that is not served here
	Throttled    Outcome = "throttled" // refused like the others, too often
	Stale        Outcome = "stale"     // nobody can tell: neither allowed nor refused
)

// Outcomes returns all of them.
func Outcomes() []Outcome {
	return []Outcome{
		Allowed, Probe, Ambiguous, NoRoute, Method, TooLarge, Missing, Malformed, Unknown, Revoked, Expired, Disabled, WrongKind, Vendor,
		SourceIP, Scope, BadSignature, Replayed, WrongTenant, Throttled, Stale,
	}
}

// Kinds returns the kinds of routes, and "" for where no route matched.
func Kinds() []credential.Kind {
	return []credential.Kind{credential.KindCallback, credential.KindWebhook, credential.KindAPI, ""}
}

// Unauthorized reports whether o refuses the credential itself. Only such refusals
// are throttled.
func (o Outcome) Unauthorized() bool {
	switch o {
	case Missing, Malformed, Unknown, Revoked, Expired, Disabled, WrongKind, Vendor:
		return true
	}
	return false
}

// NamesCredential reports whether o refuses a request for what is known of the credential
// that it presents, or for what its vendor has to show.
func (o Outcome) NamesCredential() bool {
	switch o {
	case Revoked, Expired, Disabled, WrongKind, Vendor, SourceIP, Scope, BadSignature, Replayed, WrongTenant:
		return true
	}
	return false
}

// Client returns the address of the client; the zero Addr where it is unknown.
func (d *Decision) Client() netip.Addr { return d.peer.Client }

// Decision is what is to become of a request. Only this package writes to one.
type Decision struct {
	Outcome Outcome
	// Kind is that of the route, "" where no route matched.
	Kind credential.Kind
	// Template is the path of the route as configured: what may be logged instead
	// of the path itself. "" where no route matched.
	Template string
	// Allow is the value of the Allow header, for Method.
	Allow string
	// Redirected: with Method, the request looks like a POST that a redirect made a GET of.
	Redirected bool
	// RetryAfter is how long a client should wait, for Stale and Throttled.
	RetryAfter time.Duration
	// Credential is the credential's id where one was found, refused or not.
	Credential uuid.UUID
	// Identity is set for Allowed and Probe: who the request comes from.
	Identity *keyring.Identity
	// ExpiresAt is the end of the credential in milliseconds since the Unix epoch; 0 =
	// never.
	ExpiresAt int64
	// Vendor is that of the credential, "" where it has none or none was found.
	Vendor string
	// Proof is what came of the vendor's proof, "" where none was asked for. Reason is why it
	// failed, also where that refuses nothing.
	Proof, Reason proof.Result
	// Refuse is the status that the vendor is to see for a proof that failed; 0: the usual one.
	Refuse int
	// Event is what a proven request is recognised by for as long as Replay.
	Event  proof.Event
	Replay time.Duration
	// Answer is set for a Probe that is a handshake of the vendor's.
	Answer *proof.Answer

	// What the decision was made on, for the steps that follow it.
	route       *Route
	path, query string
	found       match
	digest      credential.Digest
	peer        Peer
	requestID   string
	method      string
	arrived     time.Time
	vendor      *VendorPolicy // of the credential, once it is allowed
	proofs      proof.Any     // one of which the request has to show
	unaddressed bool          // it comes from none of the vendor's addresses, so that only a proof lets it pass
	challenging bool          // its method is one that only a handshake has
	key         string        // the idempotency key to send; "": that of the client, or none
}

// PathVendor returns the vendor that the path names, "" on one that names none. It is the
// client's word, and that of the credential as well where the request is allowed.
func (d *Decision) PathVendor() string { return d.found.vendor }
