// Package credential has the words for what lets an external party in: kinds, states,
// limits, tokens and their digests. It is pure, and imports nothing of this module.
package credential

import (
	"errors"
	"net/netip"
	"time"

	"github.com/google/uuid"
)

// Kind says how a credential is presented.
type Kind string

// The kinds of credential.
const (
	// KindCallback is presented in the token header.
	KindCallback Kind = "callback"
	// KindWebhook is presented in the URL path, and bound to a vendor and connection.
	KindWebhook Kind = "webhook"
	// KindAPI is presented as HTTP Basic, client id and secret. The secret is the
	// caller's own; only its SHA-256 is ever sent here.
	KindAPI Kind = "api"
)

// TokenPrefix returns what every token of the kind starts with.
func (k Kind) TokenPrefix() string {
	if k == KindWebhook {
		return prefixWebhook
	}
	return PrefixCallback
}

// Status is the state of a credential at one moment.
type Status string

// The states of a credential. Revoked is terminal; so is expired after a grace period,
// while Update can put off an expiry that has passed.
const (
	StatusActive   Status = "active"
	StatusGrace    Status = "grace"    // rotated out, and still accepted for a while
	StatusDisabled Status = "disabled" // paused by an operator, who can enable it again
	StatusExpired  Status = "expired"
	StatusRevoked  Status = "revoked"
)

// Credential is the record of one external party's way in. It never holds the
// token. Times are UTC with millisecond precision, by the clock of Redis; a zero
// time or zero UUID means absent.
type Credential struct {
	ID     uuid.UUID
	Tenant uuid.UUID
	// AtMatcher: Matcher has this credential too, under the same id.
	AtMatcher bool
	// TenantAs is how the JWT of the operator spelled the tenant who minted the
	// credential, or rotated it last.
	TenantAs TenantSpelling
	Kind     Kind
	// Label names the external system (callback kind); at most MaxLabelLength
	// characters, no control characters.
	Label string
	// Vendor and Connection bind a webhook credential. A callback credential can have a
	// vendor, whose conditions apply to it, too.
	Vendor     string
	Connection string
	// AllowedIPs are the addresses that the credential works from, sorted; none
	// means any.
	AllowedIPs []netip.Prefix
	// ClientID, Scopes and Metadata belong to an api credential; Metadata is a JSON
	// object, which other kinds may have too.
	ClientID string
	Scopes   []string
	Metadata string
	// Verify is how its senders prove themselves beyond the token; nil: as its vendor's do.
	Verify *Verify
	// Proofs are when proofs of its senders last had which result, the newest first.
	Proofs []ProofSeen

	// LastRefusals are the last few requests with it that the guard refused, the newest first.
	LastRefusals []Refusal

	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time
	RevokedAt  time.Time
	// RotatedAt is set where this credential superseded another by rotation.
	RotatedAt time.Time
	// GraceUntil is set where this credential was superseded with a grace period: it
	// is accepted until then.
	GraceUntil time.Time

	Supersedes   uuid.UUID
	SupersededBy uuid.UUID

	// Disabled: it is refused until it is enabled again. Its expiry and its grace run on.
	Disabled bool

	// TokenHint is the beginning of a token that was minted here; "" for others.
	TokenHint string

	Digest  Digest // of the token; zero once revoked credentials are listed without it
	Version string // for compare-and-set, as Redis counts it
}

// Refusal is a request that the guard refused.
type Refusal struct {
	At      time.Time
	Outcome string
	Address string // of the client; "" where it is unknown
}

// Status returns the state of the credential at now (in Redis time).
func (c *Credential) Status(now time.Time) Status {
	switch {
	case !c.RevokedAt.IsZero():
		return StatusRevoked
	case !c.ValidUntil().IsZero() && !now.Before(c.ValidUntil()):
		return StatusExpired
	case c.Disabled:
		return StatusDisabled
	case !c.GraceUntil.IsZero():
		return StatusGrace
	default:
		return StatusActive
	}
}

// Retired reports whether nothing brings the credential back: it is revoked, or its
// grace has ended.
func (c *Credential) Retired(now time.Time) bool {
	return !c.RevokedAt.IsZero() || !c.GraceUntil.IsZero() && !now.Before(c.GraceUntil)
}

// InGrace reports whether the credential was rotated out and is not ended yet, disabled
// or not.
func (c *Credential) InGrace(now time.Time) bool {
	status := c.Status(now)
	return !c.GraceUntil.IsZero() && status != StatusExpired && status != StatusRevoked
}

// ValidUntil returns when the credential stops being accepted by itself: at its
// expiry or the end of its grace, whichever comes first. Zero means never.
func (c *Credential) ValidUntil() time.Time {
	if c.GraceUntil.IsZero() || !c.ExpiresAt.IsZero() && c.ExpiresAt.Before(c.GraceUntil) {
		return c.ExpiresAt
	}
	return c.GraceUntil
}

// LatestExpiry is the last time at which a credential may end. RFC 3339 has no year 10000,
// so that a later time could not be shown, in any time zone.
var LatestExpiry = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// earliestTime is the first time of a record. It is past where 0 stands for none and 1 for
// disabled, in the data set and in keyrings.
var earliestTime = time.Unix(1, 0).UTC()

// StoredTime returns the time of a number of milliseconds since the Unix epoch, as the data
// set has times: the nearest one between 1970 and LatestExpiry. Whoever can write to the data
// set can put any number there, and releases before there was a latest expiry put any year. A
// year of more than four digits, or before the first, cannot be written in JSON (RFC 3339).
func StoredTime(ms int64) time.Time {
	return time.UnixMilli(min(max(ms, earliestTime.UnixMilli()), LatestExpiry.UnixMilli())).UTC()
}

// Limits of what a credential may carry.
const (
	// MaxLabelLength is the longest label, in Unicode characters.
	MaxLabelLength = 128
	// MaxConnectionLength is the longest connection name, in Unicode characters.
	MaxConnectionLength = 256
	// MaxClientIDLength, MaxScopes, MaxScopeLength and MaxMetadataLength bound what an
	// api credential may carry; the last is in bytes of JSON.
	MaxClientIDLength = 128
	MaxScopes         = 64
	MaxScopeLength    = 64
	MaxMetadataLength = 4096
	// MaxReasonLength is the longest reason for a change, in Unicode characters.
	MaxReasonLength = 256
	// MaxGrace is the longest grace period of a rotation.
	MaxGrace = 7 * 24 * time.Hour
)

// Errors of the store. Any error that matches none of these is an internal one.
// None of their texts holds a token, a digest, an address or a password.
var (
	// ErrInvalid: a field of the new credential is out of its limits.
	ErrInvalid = errors.New("invalid credential")
)

var ErrCorrupt = errors.New("store: unreadable value in Redis")
