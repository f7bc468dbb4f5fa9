package credential

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Spec describes a credential to be made. Times are by the clock of Redis.
type Spec struct {
	Tenant     uuid.UUID
	Kind       Kind
	Label      string
	Vendor     string // webhook kind, required; callback kind, optional
	Connection string // webhook kind, required
	// AllowedIPs are the addresses that the credential works from, as ParsePrefix
	// returns them; none means any.
	AllowedIPs []netip.Prefix
	ExpiresAt  time.Time
	// ClientID and SecretHash, the SHA-256 of the client secret, are required for the
	// api kind, and Scopes may be given for it.
	ClientID   string
	SecretHash Digest
	Scopes     []string
	// Metadata is a JSON object, or empty.
	Metadata string
	// Verify is how senders prove themselves; nil: as the vendor's do. Not for the api kind.
	Verify *VerifySpec
}

func (spec *Spec) Validate() error {
	webhook, api := spec.Kind == KindWebhook, spec.Kind == KindAPI
	switch {
	case spec.Tenant == uuid.Nil:
		return fmt.Errorf("%w: tenant is missing", ErrInvalid)
	case KindCode(spec.Kind) < 0:
		return fmt.Errorf("%w: unknown kind", ErrInvalid)
	case !printable(spec.Label, MaxLabelLength):
		return fmt.Errorf("%w: the label must be at most %d characters without control characters", ErrInvalid, MaxLabelLength)
	case spec.ExpiresAt.After(LatestExpiry):
		return fmt.Errorf("%w: the expiry must be at most %s", ErrInvalid, LatestExpiry.Format(time.RFC3339))
	case !spec.ExpiresAt.IsZero() && spec.ExpiresAt.UnixMilli() <= 0: // 0 means never to a keyring
		return fmt.Errorf("%w: the expiry must be after 1970", ErrInvalid)
	case !webhook && spec.Connection != "":
		return fmt.Errorf("%w: only a webhook credential has a connection", ErrInvalid)
	case api && spec.Vendor != "":
		return fmt.Errorf("%w: an api credential has no vendor", ErrInvalid)
	case api && spec.Verify != nil:
		return fmt.Errorf("%w: an api credential has its secret, and no verify", ErrInvalid)
	case (webhook || spec.Vendor != "") && !ValidVendor(spec.Vendor):
		return fmt.Errorf("%w: the vendor must be 1 to 32 characters of a-z 0-9 -", ErrInvalid)
	case webhook && (spec.Connection == "" || !printable(spec.Connection, MaxConnectionLength)):
		return fmt.Errorf("%w: the connection must be 1 to %d characters without control characters", ErrInvalid, MaxConnectionLength)
	case !api && (spec.ClientID != "" || len(spec.Scopes) > 0 || spec.SecretHash != Digest{}):
		return fmt.Errorf("%w: only an api credential has a client id, a secret hash and scopes", ErrInvalid)
	case api && !ValidClientID(spec.ClientID):
		return fmt.Errorf("%w: the client id must be 1 to %d printable ASCII characters without space and colon", ErrInvalid, MaxClientIDLength)
	case api && spec.SecretHash == Digest{}:
		return fmt.Errorf("%w: the secret hash is missing", ErrInvalid)
	}
	if err := validScopes(spec.Scopes); err != nil {
		return err
	}
	if err := validMetadata(spec.Metadata); err != nil {
		return err
	}
	if spec.Verify != nil {
		if err := spec.Verify.Validate(); err != nil {
			return err
		}
	}
	return validAllowedIPs(spec.AllowedIPs)
}

// ValidVendor reports whether name can be a vendor: [a-z0-9-]{1,32}.
func ValidVendor(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(name) >= 1 && len(name) <= 32
}

// printable reports whether text is valid UTF-8 of at most limit characters, none
// of them a control character: those would end up in logs and headers.
func printable(text string, limit int) bool {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > limit {
		return false
	}
	for _, r := range text {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// ValidClientID reports whether id can be a client id: 1 to MaxClientIDLength printable
// ASCII characters without a colon, at which HTTP Basic ends it.
func ValidClientID(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' || id[i] == ':' {
			return false
		}
	}
	return len(id) >= 1 && len(id) <= MaxClientIDLength
}

func validScopes(scopes []string) error {
	if len(scopes) > MaxScopes {
		return fmt.Errorf("%w: at most %d scopes", ErrInvalid, MaxScopes)
	}
	for _, scope := range scopes {
		if !ValidScope(scope) {
			return fmt.Errorf("%w: a scope must be 1 to %d printable ASCII characters without space", ErrInvalid, MaxScopeLength)
		}
	}
	return nil
}

// ValidScope reports whether scope can be a scope: RFC 6749 section 3.3 without quotes
// and backslashes, at most MaxScopeLength characters.
func ValidScope(scope string) bool {
	for i := range len(scope) {
		if c := scope[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return len(scope) >= 1 && len(scope) <= MaxScopeLength
}

func validMetadata(metadata string) error {
	if metadata == "" {
		return nil
	}
	var object map[string]any
	if len(metadata) > MaxMetadataLength || json.Unmarshal([]byte(metadata), &object) != nil || object == nil {
		return fmt.Errorf("%w: the metadata must be a JSON object of at most %d bytes", ErrInvalid, MaxMetadataLength)
	}
	return nil
}

// NewCredential draws an id, and a token unless the kind brings its own secret. Ids
// are time-ordered (UUID version 7), so that credentials of one millisecond still
// list in the order they were minted.
func NewCredential(spec Spec) (Credential, string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Credential{}, "", fmt.Errorf("draw a credential id: %w", err)
	}
	c := Credential{
		ID: id, Tenant: spec.Tenant, Kind: spec.Kind, Label: spec.Label,
		Vendor: spec.Vendor, Connection: spec.Connection, AllowedIPs: CanonicalIPs(spec.AllowedIPs),
		ClientID: spec.ClientID, Scopes: CanonicalScopes(spec.Scopes), Metadata: spec.Metadata,
		ExpiresAt: spec.ExpiresAt.UTC().Truncate(time.Millisecond),
	}
	if spec.Kind == KindAPI {
		c.Digest = DigestAPISecret(spec.ClientID, spec.SecretHash)
		return c, "", nil
	}
	token := MintToken(spec.Kind.TokenPrefix())
	c.Digest, c.TokenHint = DigestToken(token), token[:hintLength]
	return c, token, nil
}

// CanonicalScopes sorts scopes and drops repetitions, so that equal lists are stored
// and interned alike.
func CanonicalScopes(scopes []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(scopes)))
}

// Spec returns what it takes to make a credential like this one, but for its secrets.
func (c *Credential) Spec() Spec {
	return Spec{
		Tenant: c.Tenant, Kind: c.Kind, Label: c.Label, Vendor: c.Vendor, Connection: c.Connection,
		AllowedIPs: c.AllowedIPs, ExpiresAt: c.ExpiresAt, ClientID: c.ClientID, Scopes: c.Scopes, Metadata: c.Metadata,
	}
}
