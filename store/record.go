package store

import (
	"cmp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
)

// Fields of a credential's record HASH. Values stay within 64 bytes where they
// can, up to which Redis packs a small hash (hash-max-listpack-value).
const (
	fieldTenant       = "t"
	fieldTenantAs     = "ts" // a credential.TenantSpelling
	fieldKind         = "k"
	fieldDigest       = "d" // raw bytes
	fieldLabel        = "l"
	fieldVendor       = "vn"
	fieldConnection   = "cn"
	fieldAllowedIPs   = "ip" // prefixes, a space between
	fieldCreatedAt    = "c"
	fieldExpiresAt    = "e"
	fieldLastUsedAt   = "lu" // written by lua/usage.lua only
	fieldLastRefusals = "lr" // written by lua/refusals.lua only
	fieldRevokedAt    = "r"
	fieldRotatedAt    = "ro"
	fieldSupersedes   = "sp"
	fieldSupersededBy = "sb"
	fieldGraceUntil   = "g"
	fieldDisabled     = "de" // the expiry of a disabled credential, see expiryFields
	fieldClientID     = "ci"
	fieldScopes       = "sc" // a space between
	fieldMetadata     = "md" // JSON
	fieldVerify       = "vf" // as credential.Verify has it, its secrets sealed
	fieldTokenHint    = "th"
	fieldAtMatcher    = "am" // "1" where Matcher has it too
	fieldVersion      = "v"  // counted by lua/mutate.lua
)

// recordFields returns the fields of a new record, absent ones left out. Stamps
// of time are the script's to write.
func recordFields(c *credential.Credential) []string {
	set := []string{
		fieldTenant, string(c.Tenant[:]),
		fieldKind, string(c.Kind),
		fieldDigest, string(c.Digest[:]),
	}
	add := func(field, value string) {
		if value != "" {
			set = append(set, field, value)
		}
	}
	add(fieldTenantAs, string(c.TenantAs))
	add(fieldLabel, c.Label)
	add(fieldVendor, c.Vendor)
	add(fieldConnection, c.Connection)
	add(fieldAllowedIPs, credential.FormatIPs(c.AllowedIPs))
	add(fieldClientID, c.ClientID)
	add(fieldScopes, strings.Join(c.Scopes, " "))
	add(fieldMetadata, c.Metadata)
	add(fieldVerify, c.Verify.Encode())
	add(fieldTokenHint, c.TokenHint)
	if c.AtMatcher {
		add(fieldAtMatcher, "1")
	}
	if !c.ExpiresAt.IsZero() || c.Disabled {
		set = append(set, expiryFields(c)...)
	}
	if c.Supersedes != uuid.Nil {
		add(fieldSupersedes, string(c.Supersedes[:]))
	}
	return set
}

// disabledExpiry stands for the expiry of a disabled credential, and neverExpires in the
// other field for none.
const (
	disabledExpiry = "1"
	neverExpires   = "0"
)

// expiryFields returns the fields that say when a credential expires, and whether it is
// disabled. Releases that do not know of disabling take a disabled credential for one that
// expired in 1970, and so neither rotate it nor bring it back with a change of something
// else. Where they give it another expiry, that is the word of an operator, and enables it.
func expiryFields(c *credential.Credential) []string {
	expires := ""
	if !c.ExpiresAt.IsZero() {
		expires = redisconn.FormatMillis(c.ExpiresAt)
	}
	if !c.Disabled {
		return []string{fieldExpiresAt, expires}
	}
	return []string{fieldExpiresAt, disabledExpiry, fieldDisabled, cmp.Or(expires, neverExpires)}
}

// parseExpiry is the inverse of expiryFields.
func parseExpiry(fields map[string]string) (expires string, disabled bool) {
	held := fields[fieldDisabled]
	switch {
	case held == "" || fields[fieldExpiresAt] != disabledExpiry:
		return fields[fieldExpiresAt], false
	case held == neverExpires:
		return "", true
	}
	return held, true
}

// parseRecord is the inverse of recordFields, for the record stored under id.
func parseRecord(id uuid.UUID, fields map[string]string) (credential.Credential, error) {
	c := credential.Credential{
		ID:         id,
		TenantAs:   credential.TenantSpelling(fields[fieldTenantAs]),
		Kind:       credential.Kind(fields[fieldKind]),
		Label:      fields[fieldLabel],
		Vendor:     fields[fieldVendor],
		Connection: fields[fieldConnection],
		ClientID:   fields[fieldClientID],
		Metadata:   fields[fieldMetadata],
		TokenHint:  fields[fieldTokenHint],

		LastRefusals: parseRefusals(fields[fieldLastRefusals]),
		AtMatcher:    fields[fieldAtMatcher] != "",
		Version:      fields[fieldVersion],
	}
	digest, ok := keyring.ParseDigest(fields[fieldDigest])
	if !ok || credential.KindCode(c.Kind) < 0 || c.Version == "" {
		return c, credential.ErrCorrupt
	}
	c.Digest = digest
	if scopes := fields[fieldScopes]; scopes != "" {
		c.Scopes = strings.Fields(scopes)
	}
	var err error
	if c.Verify, err = credential.ParseVerify(fields[fieldVerify]); err != nil {
		return c, err
	}
	if c.Proofs, err = parseProofs(fields); err != nil {
		return c, err
	}
	if c.AllowedIPs, err = credential.ParseIPs(fields[fieldAllowedIPs]); err != nil {
		return c, err
	}
	for field, id := range map[string]*uuid.UUID{
		fieldTenant: &c.Tenant, fieldSupersedes: &c.Supersedes, fieldSupersededBy: &c.SupersededBy,
	} {
		value := fields[field]
		if value != "" && len(value) != len(id) {
			return c, credential.ErrCorrupt
		}
		copy(id[:], value)
	}
	expires, disabled := parseExpiry(fields)
	c.Disabled = disabled
	for t, value := range map[*time.Time]string{
		&c.CreatedAt: fields[fieldCreatedAt], &c.ExpiresAt: expires, &c.LastUsedAt: fields[fieldLastUsedAt],
		&c.RevokedAt: fields[fieldRevokedAt], &c.RotatedAt: fields[fieldRotatedAt], &c.GraceUntil: fields[fieldGraceUntil],
	} {
		if value == "" {
			continue
		}
		if *t, err = redisconn.ParseMillis(value); err != nil {
			return c, err
		}
	}
	if c.CreatedAt.IsZero() || c.Tenant == uuid.Nil {
		return c, credential.ErrCorrupt
	}
	return c, nil
}

// keyOf returns what the keyring needs to know of a credential.
func keyOf(c *credential.Credential) keyring.Key {
	key := keyring.Key{ID: c.ID, Identity: &keyring.Identity{
		Tenant: c.Tenant, TenantAs: c.TenantAs, Kind: c.Kind, Vendor: c.Vendor, Connection: c.Connection, Label: c.Label,
		AllowedIPs: c.AllowedIPs, Scopes: c.Scopes, Proves: c.Verify != nil, Disabled: c.Disabled, InGrace: !c.GraceUntil.IsZero(),
	}, Verify: c.Verify}
	if until := c.ValidUntil(); !until.IsZero() {
		key.ExpiresAt = until.UnixMilli()
	}
	return key
}
