package store

import (
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
	fieldRevokedAt    = "r"
	fieldRotatedAt    = "ro"
	fieldSupersedes   = "sp"
	fieldSupersededBy = "sb"
	fieldGraceUntil   = "g"
	fieldClientID     = "ci"
	fieldScopes       = "sc" // a space between
	fieldMetadata     = "md" // JSON
	fieldVerify       = "vf" // as credential.Verify has it, its secrets sealed
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
	if c.AtMatcher {
		add(fieldAtMatcher, "1")
	}
	if !c.ExpiresAt.IsZero() {
		add(fieldExpiresAt, redisconn.FormatMillis(c.ExpiresAt))
	}
	if c.Supersedes != uuid.Nil {
		add(fieldSupersedes, string(c.Supersedes[:]))
	}
	return set
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
		AtMatcher:  fields[fieldAtMatcher] != "",
		Version:    fields[fieldVersion],
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
	for field, t := range map[string]*time.Time{
		fieldCreatedAt: &c.CreatedAt, fieldExpiresAt: &c.ExpiresAt, fieldLastUsedAt: &c.LastUsedAt,
		fieldRevokedAt: &c.RevokedAt, fieldRotatedAt: &c.RotatedAt, fieldGraceUntil: &c.GraceUntil,
	} {
		value := fields[field]
		if value == "" {
			continue
		}
		if *t, err = redisconn.ParseMillis(value); err != nil {
			return c, err
		}
	}
	if c.ExpiresAt.After(credential.LatestExpiry) { // made before there was a latest one
		c.ExpiresAt = credential.LatestExpiry
	}
	if c.CreatedAt.IsZero() || c.Tenant == uuid.Nil {
		return c, credential.ErrCorrupt
	}
	return c, nil
}

// Times are stored in milliseconds since the Unix epoch.

// keyOf returns what the keyring needs to know of a credential.
func keyOf(c *credential.Credential) keyring.Key {
	key := keyring.Key{ID: c.ID, Identity: &keyring.Identity{
		Tenant: c.Tenant, TenantAs: c.TenantAs, Kind: c.Kind, Vendor: c.Vendor, Connection: c.Connection, Label: c.Label,
		AllowedIPs: c.AllowedIPs, Scopes: c.Scopes, Proves: c.Verify != nil,
	}, Verify: c.Verify}
	if until := c.ValidUntil(); !until.IsZero() {
		key.ExpiresAt = until.UnixMilli()
	}
	return key
}
