package admin

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
)

type (
	verifyInput struct {
		Body api.VerifyRequest
	}
	verifyOutput struct {
		CacheControl string `header:"Cache-Control" example:"no-store"`
		Body         api.VerifyResponse
	}
)

func (a *admin) registerVerify() {
	register(a, bearer.RoleViewer, huma.Operation{
		OperationID: "verifyToken", Method: http.MethodPost, Path: api.CredentialsPath + "/verify",
		Tags: credentialTags, Summary: "Say what the guard makes of a token",
		Description: "As far as the token itself decides: whether the path, the client's address, scopes and the vendor's signature fit is not asked. " +
			"Another tenant's token is unknown. It counts as no use.",
	}, bodyProblems, a.verifyToken)
}

// The outcomes of a verification, in the guard's words.
const (
	outcomeAllowed   = "allowed"
	outcomeMalformed = "malformed"
	outcomeUnknown   = "unknown"
	outcomeRevoked   = "revoked"
	outcomeExpired   = "expired"
	outcomeStale     = "stale"
)

var outcomeDetails = map[string]string{
	outcomeAllowed:   "The guard lets it through.",
	outcomeMalformed: "The guard refuses it with 401 unseen: the checksum is wrong, or it has characters that no token has.",
	outcomeUnknown:   "The guard refuses it with 401: no live credential has it.",
	outcomeRevoked:   "The guard refuses it with 401: it was revoked.",
	outcomeExpired:   "The guard refuses it with 401: its expiry or the end of its grace period has passed.",
	outcomeStale:     "The guard answers 503: it has not been able to compare its keyring with the store for too long.",
}

// maxUnknownAge is how old the guard's keyring may be for it to call a token unknown.
const maxUnknownAge = 2 * time.Second

func (a *admin) verifyToken(ctx context.Context, tenant uuid.UUID, in *verifyInput) (*verifyOutput, error) {
	outcome, id := a.judge(tenant, in.Body.Token, time.Now())
	out := &verifyOutput{CacheControl: noStore}
	if id != uuid.Nil {
		c, err := a.store.Get(ctx, store.Ref{Tenant: tenant, ID: id})
		switch {
		case errors.Is(err, store.ErrNotFound): // the keyring does not tell whose a revoked token was
			outcome = outcomeUnknown
		case err != nil:
			return nil, err
		default:
			shown := a.show(&c)
			out.Body.Credential = &shown
		}
	}
	out.Body.Outcome, out.Body.Detail = outcome, outcomeDetails[outcome]
	return out, nil
}

// judge returns what the guard says of a token at the local time now, and the
// credential that it may be of.
func (a *admin) judge(tenant uuid.UUID, token string, now time.Time) (outcome string, id uuid.UUID) {
	ring := a.store.Keyring()
	digest, wellFormed := digestOf(token)
	if !wellFormed {
		return outcomeMalformed, uuid.Nil
	}
	age, loaded := ring.Age(now)
	if !loaded || a.maxStaleness > 0 && age > a.maxStaleness {
		return outcomeStale, uuid.Nil
	}
	key, standing := ring.Lookup(digest)
	switch {
	case standing == keyring.Revoked:
		return outcomeRevoked, key.ID
	case standing == keyring.Live && key.Tenant == tenant:
		if key.ExpiresAt != 0 && ring.ServerTime(now).UnixMilli() >= key.ExpiresAt {
			return outcomeExpired, key.ID
		}
		return outcomeAllowed, key.ID
	case age > maxUnknownAge:
		return outcomeStale, uuid.Nil
	}
	return outcomeUnknown, uuid.Nil
}

// digestOf returns the digest under which a token is stored, and false where it can
// be none. Of the two forms only an api credential's has a colon.
func digestOf(token string) (credential.Digest, bool) {
	if clientID, secret, ok := strings.Cut(token, ":"); ok {
		return credential.DigestAPISecret(clientID, sha256.Sum256([]byte(secret))), clientID != ""
	}
	return credential.DigestToken(token), credential.WellFormedToken(token)
}
