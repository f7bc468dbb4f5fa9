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

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
)

type (
	verifyRequest struct {
		Token string `json:"token" minLength:"1" maxLength:"1024" example:"mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk" doc:"A token, or clientId:secret for an api credential. It is neither stored nor logged."`
	}
	verifyResponse struct {
		Outcome    string      `json:"outcome" enum:"allowed,malformed,unknown,revoked,expired,stale" example:"allowed" doc:"The word that the guard's log and metrics have for it."`
		Detail     string      `json:"detail" example:"The guard lets it through." doc:"The same for people."`
		Credential *Credential `json:"credential,omitempty" doc:"Whose token it is; absent where it is none of the tenant's."`
	}

	verifyInput struct {
		Body verifyRequest
	}
	verifyOutput struct {
		CacheControl string `header:"Cache-Control" example:"no-store"`
		Body         verifyResponse
	}
)

func (a *api) registerVerify() {
	register(a, RoleViewer, huma.Operation{
		OperationID: "verifyToken", Method: http.MethodPost, Path: credentialsPath + "/verify",
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

func (a *api) verifyToken(ctx context.Context, tenant uuid.UUID, in *verifyInput) (*verifyOutput, error) {
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
func (a *api) judge(tenant uuid.UUID, token string, now time.Time) (outcome string, id uuid.UUID) {
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
