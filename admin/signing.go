package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/proof"
	"github.com/hookgate/hookgate/store"
)

type signingSecretInput struct {
	ID   credentialID `path:"id" format:"uuid"`
	Body api.SigningSecretRequest
}

func (a *admin) registerSigningSecret(one string) {
	register(a, bearer.Change, huma.Operation{
		OperationID: "replaceSigningSecret", Method: http.MethodPost, Path: one + "/signing-secret",
		Tags: credentialTags, Summary: "Replace the secret by which a vendor signs",
		Description: "The new secret takes the place of the first one of verify. With a grace period the old one verifies as well until it ends; at most one such period is open.",
	}, append([]problem.Problem{problem.NotFound, problem.Inactive, problem.NoVerify, problem.SecretGraceOpen, problem.NotSealable}, bodyProblems...), a.replaceSigningSecret)
}

func (a *admin) replaceSigningSecret(ctx context.Context, tenant uuid.UUID, in *signingSecretInput) (*oneCredentialOutput, error) {
	c, err := a.store.ReplaceSigningSecret(withOrigin(ctx, in.Body.Reason), anyKind(tenant, in.ID), store.SigningSecret{
		Secret: in.Body.Secret, Grace: time.Duration(in.Body.GracePeriodSeconds) * time.Second, Force: in.Body.Force,
	})
	if err != nil {
		return nil, err
	}
	return &oneCredentialOutput{Body: a.show(&c)}, nil
}

// verifyOf reads how senders prove themselves; nil for nil.
func verifyOf(v *api.VerifySettings) (*credential.VerifySpec, error) {
	if v == nil {
		return nil, nil
	}
	spec := &credential.VerifySpec{Scheme: v.Scheme.Text(), Secrets: v.Secrets}
	if err := spec.Validate(); err != nil {
		return nil, refuse(problem.Invalid).at("body.verify", err.Error())
	}
	program, err := store.ReadScheme(spec.Scheme)
	if err != nil {
		return nil, refuse(problem.Invalid).at("body.verify.scheme", err.Error())
	}
	secrets := make([]proof.Secret, len(v.Secrets))
	for i, secret := range v.Secrets {
		secrets[i].Value = secret
	}
	if _, err := program.With(secrets...); err != nil {
		return nil, refuse(problem.Invalid).at("body.verify.secrets", err.Error())
	}
	return spec, nil
}

// showVerify shows how senders prove themselves, and the grace of an old secret while it
// lasts.
func showVerify(v *credential.Verify, now time.Time) *api.ShownVerify {
	if v == nil {
		return nil
	}
	shown := &api.ShownVerify{Scheme: api.SchemeOf(v.Scheme), Secrets: v.Secrets, ChangedAt: v.ChangedAt}
	if v.GraceOpen(now) {
		shown.GraceUntil = v.GraceUntil
	}
	return shown
}

func showProofs(proofs []credential.ProofSeen) []api.ProofSeen {
	var shown []api.ProofSeen
	for _, seen := range proofs {
		shown = append(shown, api.ProofSeen(seen))
	}
	return shown
}
