package admin

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

// errLabelToken keeps tokens out of lists and dumps, where labels stand in clear.
var errLabelToken = errors.New("the label holds a token")

// checkLabel refuses a label that holds a token. One that is kept already stays as it is.
func checkLabel(location, label string) error {
	if credential.HoldsToken(label) {
		return refuse(problem.Invalid).at(location, errLabelToken.Error())
	}
	return nil
}

// specOf reads what is asked for.
func specOf(tenant uuid.UUID, r *api.CreateCredentialRequest) (credential.Spec, error) {
	spec := credential.Spec{
		Tenant: tenant, Kind: credential.Kind(r.Kind), Label: r.Label, Vendor: r.Vendor, Connection: r.Connection,
		ClientID: r.ClientID, Scopes: r.Scopes, Metadata: string(r.Metadata),
	}
	err := checkLabel("body.label", r.Label)
	if err != nil {
		return spec, err
	}
	if spec.AllowedIPs, err = parseIPs(r.AllowedIPs); err != nil {
		return spec, refuse(problem.Invalid).at("body.allowedIps", err.Error())
	}
	if r.ExpiresAt != nil {
		if r.ExpiresAt.IsZero() { // which would mean never, and some programs write for unset
			return spec, refuse(problem.Invalid).at("body.expiresAt", "expected a time in the future")
		}
		spec.ExpiresAt = *r.ExpiresAt
	}
	if spec.SecretHash, err = parseSHA256(r.SecretHash); err != nil {
		return spec, refuse(problem.Invalid).at("body.secretHash", err.Error())
	}
	spec.Verify, err = verifyOf(r.Verify)
	return spec, err
}

var (
	errNoDigest   = errors.New("the digest is missing")
	errNotID      = errors.New("the id must be a UUID of 36 characters")
	errNotRFC3339 = errors.New("the expiry must be RFC 3339")
)

// specOfLine reads a line of an import.
func specOfLine(tenant uuid.UUID, l *api.ImportLine) (spec credential.Spec, token store.Foreign, err error) {
	spec = credential.Spec{
		Tenant: tenant, Kind: credential.Kind(l.Kind), Label: l.Label, Vendor: l.Vendor, Connection: l.Connection,
		Metadata: string(l.Metadata),
	}
	if l.Digest == "" {
		return spec, token, errNoDigest
	}
	if credential.HoldsToken(l.Label) {
		return spec, token, errLabelToken
	}
	if token.Digest, err = parseSHA256(l.Digest); err != nil {
		return spec, token, err
	}
	if l.ID != "" {
		var id credentialID
		if err := id.UnmarshalText([]byte(l.ID)); err != nil || uuid.UUID(id) == uuid.Nil {
			return spec, token, errNotID
		}
		token.ID = uuid.UUID(id)
	}
	if l.ExpiresAt != "" {
		if spec.ExpiresAt, err = time.Parse(time.RFC3339, l.ExpiresAt); err != nil {
			return spec, token, errNotRFC3339
		}
	}
	if l.Verify != nil {
		spec.Verify = &credential.VerifySpec{Scheme: l.Verify.Scheme.Text(), Secrets: l.Verify.Secrets}
	}
	spec.AllowedIPs, err = parseIPs(l.AllowedIPs)
	return spec, token, err
}

var errNotSHA256 = errors.New("expected a SHA-256 as 64 hexadecimal digits, with or without sha256: before it")

// parseSHA256 reads a digest; "" is the zero digest.
func parseSHA256(text string) (credential.Digest, error) {
	var d credential.Digest
	if text == "" {
		return d, nil
	}
	const prefix = "sha256:"
	if len(text) > len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
		text = text[len(prefix):]
	}
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(d) {
		return d, errNotSHA256
	}
	return credential.Digest(raw), nil
}

// showIPs writes an address that stands for itself without its prefix length, as
// operators do.
func showIPs(prefixes []netip.Prefix) []string {
	var texts []string
	for _, p := range prefixes {
		if p.IsSingleIP() {
			texts = append(texts, p.Addr().String())
		} else {
			texts = append(texts, p.String())
		}
	}
	return texts
}

// parseIPs reads what showIPs writes, and reports the first text that is none.
func parseIPs(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		var err error
		if prefixes[i], err = credential.ParsePrefix(text); err != nil {
			return nil, err
		}
	}
	return prefixes, nil
}
