package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Fields of a credential's record HASH. Values stay within 64 bytes where they
// can, up to which Redis packs a small hash (hash-max-listpack-value).
const (
	fieldTenant       = "t"
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
	fieldVersion      = "v"  // counted by lua/mutate.lua
)

// recordFields returns the fields of a new record, absent ones left out. Stamps
// of time are the script's to write.
func recordFields(c *Credential) []string {
	set := []string{
		fieldTenant, string(c.Tenant[:]),
		fieldKind, string(c.Kind),
		fieldDigest, string(c.digest[:]),
	}
	add := func(field, value string) {
		if value != "" {
			set = append(set, field, value)
		}
	}
	add(fieldLabel, c.Label)
	add(fieldVendor, c.Vendor)
	add(fieldConnection, c.Connection)
	add(fieldAllowedIPs, formatIPs(c.AllowedIPs))
	add(fieldClientID, c.ClientID)
	add(fieldScopes, strings.Join(c.Scopes, " "))
	add(fieldMetadata, c.Metadata)
	if !c.ExpiresAt.IsZero() {
		add(fieldExpiresAt, formatMillis(c.ExpiresAt))
	}
	if c.Supersedes != uuid.Nil {
		add(fieldSupersedes, string(c.Supersedes[:]))
	}
	return set
}

// parseRecord is the inverse of recordFields, for the record stored under id.
func parseRecord(id uuid.UUID, fields map[string]string) (Credential, error) {
	c := Credential{
		ID:         id,
		Kind:       Kind(fields[fieldKind]),
		Label:      fields[fieldLabel],
		Vendor:     fields[fieldVendor],
		Connection: fields[fieldConnection],
		ClientID:   fields[fieldClientID],
		Metadata:   fields[fieldMetadata],
		version:    fields[fieldVersion],
	}
	digest, ok := parseDigest(fields[fieldDigest])
	if !ok || kindCode(c.Kind) < 0 || c.version == "" {
		return c, errCorrupt
	}
	c.digest = digest
	if scopes := fields[fieldScopes]; scopes != "" {
		c.Scopes = strings.Fields(scopes)
	}
	var err error
	if c.AllowedIPs, err = parseIPs(fields[fieldAllowedIPs]); err != nil {
		return c, err
	}
	for field, id := range map[string]*uuid.UUID{
		fieldTenant: &c.Tenant, fieldSupersedes: &c.Supersedes, fieldSupersededBy: &c.SupersededBy,
	} {
		value := fields[field]
		if value != "" && len(value) != len(id) {
			return c, errCorrupt
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
		if *t, err = parseMillis(value); err != nil {
			return c, err
		}
	}
	if c.CreatedAt.IsZero() || c.Tenant == uuid.Nil {
		return c, errCorrupt
	}
	return c, nil
}

// Times are stored in milliseconds since the Unix epoch.

func formatMillis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

func parseMillis(text string) (time.Time, error) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, errCorrupt
	}
	return time.UnixMilli(ms).UTC(), nil
}

// keyOf returns what the keyring needs to know of a credential.
func keyOf(c *Credential) Key {
	key := Key{ID: c.ID, Identity: &Identity{
		Tenant: c.Tenant, Kind: c.Kind, Vendor: c.Vendor, Connection: c.Connection, Label: c.Label,
		AllowedIPs: c.AllowedIPs, Scopes: c.Scopes,
	}}
	if until := c.validUntil(); !until.IsZero() {
		key.ExpiresAt = until.UnixMilli()
	}
	return key
}
