package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
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
	register(a, bearer.ReadAll, huma.Operation{
		OperationID: "verifyToken", Method: http.MethodPost, Path: api.CredentialsPath + "/verify",
		Tags: credentialTags, Summary: "Say what the guard makes of a token",
		Description: "As far as the token itself decides: whether the path, the client's address, scopes and the vendor's signature fit is not asked. " +
			"Another tenant's token is unknown. It counts as no use.",
	}, bodyProblems, a.verifyToken)
}

// verdictDetails say for people what the guard makes of a token.
var verdictDetails = map[guard.Outcome]string{
	guard.Allowed:     "The guard lets it through.",
	guard.Malformed:   "The guard refuses it with 401 without looking for it: its checksum is wrong, or no token has such characters or such a length.",
	guard.Unknown:     "The guard refuses it with 401: no live credential has it.",
	guard.Revoked:     "The guard refuses it with 401: it was revoked.",
	guard.Expired:     "The guard refuses it with 401: its expiry or the end of its grace period has passed.",
	guard.Disabled:    "The guard refuses it with 401: it is disabled until an operator enables it.",
	guard.WrongTenant: "The guard refuses it with 403: it does not serve your tenant.",
	guard.Stale:       "The guard answers 503: it has not been able to compare its keyring with the store for too long.",
}

// unsealableDetail tells the one other reason of guard.Stale.
const unsealableDetail = "The guard answers 503: the signing secrets of its credential cannot be opened with the keys of seal_key."

// unsealable reports whether a token is of a credential whose proof cannot be checked.
func unsealable(token string, ring guard.Keyring) bool {
	key, standing := ring.Lookup(credential.DigestToken(token))
	return standing == keyring.Live && key.Proves && key.Proof == nil
}

func (a *admin) verifyToken(ctx context.Context, tenant uuid.UUID, in *verifyInput) (*verifyOutput, error) {
	known := tenantRing{Keyring: a.store.Keyring(), tenant: tenant}
	outcome, id := a.verdict(in.Body.Token, known)
	out := &verifyOutput{CacheControl: noStore}
	if id != uuid.Nil {
		c, err := a.store.Get(ctx, store.Ref{Tenant: tenant, ID: id})
		switch {
		case errors.Is(err, store.ErrNotFound): // it was another tenant's, which is not to be told
			known.hidden = true
			outcome, _ = a.verdict(in.Body.Token, known)
		case err != nil:
			return nil, err
		default:
			if outcome == guard.Allowed && a.checkTenant(tenant, c.Kind) != nil {
				outcome = guard.WrongTenant
			}
			shown := a.show(&c)
			out.Body.Credential = &shown
			out.Body.LastProofs = showProofs(c.Proofs)
		}
	}
	out.Body.Outcome, out.Body.Detail = string(outcome), verdictDetails[outcome]
	if outcome == guard.Stale && unsealable(in.Body.Token, known) {
		out.Body.Detail = unsealableDetail
	}
	return out, nil
}
