package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store"
)

type (
	// importLine is loosely typed: what is wrong with one line must not keep the others
	// from being imported.
	importLine struct {
		Kind       string     `json:"kind" example:"callback" doc:"callback or webhook; an api credential is created with its secretHash."`
		Digest     string     `json:"digest" example:"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" doc:"SHA-256 of the token in hexadecimal, with or without sha256: before it."`
		Label      string     `json:"label,omitempty" example:"jira-production"`
		Vendor     string     `json:"vendor,omitempty" example:"pluggy" doc:"Required for the webhook kind, as is connection."`
		Connection string     `json:"connection,omitempty" example:"pluggy-main"`
		ExpiresAt  string     `json:"expiresAt,omitempty" example:"2127-01-02T03:04:05.678Z" doc:"RFC 3339, in the future."`
		AllowedIPs []string   `json:"allowedIps,omitempty" example:"[\"203.0.113.0/24\"]" doc:"Addresses and CIDR prefixes."`
		Metadata   jsonObject `json:"metadata,omitempty"`
	}
	importRequest struct {
		Credentials []importLine `json:"credentials" minItems:"1" maxItems:"1000" nullable:"false"`
	}

	importResult struct {
		ID     string `json:"id,omitempty" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59" doc:"Of the credential; absent where refused."`
		Status string `json:"status" enum:"created,exists,refused" example:"created" doc:"exists: the tenant has a credential with this digest already, which is left as it is."`
		Code   string `json:"code,omitempty" enum:"HKG-2004,HKG-2005,HKG-2006,HKG-2013,HKG-2030,HKG-2031,HKG-2032,HKG-2422" example:"HKG-2013" doc:"Why it was refused. HKG-2013: the digest cannot be imported. The others are those of the answers to a create."`
		Detail string `json:"detail,omitempty" example:"The digest cannot be imported." doc:"The same for people."`
	}
	importResponse struct {
		Results []importResult `json:"results" nullable:"false" doc:"One for each credential, in the order of the request."`
	}

	importInput struct {
		Body importRequest
	}
	importOutput struct {
		Body importResponse
	}
)

func (a *api) registerImport() {
	register(a, RoleAdmin, huma.Operation{
		OperationID: "importCredentials", Method: http.MethodPost, Path: credentialsPath + "/import",
		MaxBodyBytes: importBody, Tags: credentialTags, Summary: "Import tokens by their digest",
		Description: "Makes credentials for tokens that were minted elsewhere, of which only the SHA-256 is known. " +
			"Each is reported on its own. Importing them again changes nothing, so a request that failed can be repeated. " +
			"A digest that was revoked, or belongs to another tenant, is refused; which of the two is not told.",
	}, bodyProblems, a.importCredentials)
}

func (a *api) importCredentials(ctx context.Context, tenant uuid.UUID, in *importInput) (*importOutput, error) {
	out := &importOutput{Body: importResponse{Results: make([]importResult, len(in.Body.Credentials))}}
	known := connectionAnswers{byName: make(map[[2]string]error)}
	for i := range in.Body.Credentials {
		result, err := a.importOne(ctx, tenant, &in.Body.Credentials[i], &known)
		var refusal *detail
		switch {
		case errors.As(err, &refusal):
			result = importResult{Status: "refused", Code: refusal.Code, Detail: refusal.Detail}
		case err != nil: // the store fails: the other lines would too
			return nil, err
		}
		out.Body.Results[i] = result
	}
	return out, nil
}

// connectionAnswers are what was found out of vendors and connections: each is asked
// for once, and none after one that got no answer. A thousand lines do not wait for
// the same silence one by one.
type connectionAnswers struct {
	byName map[[2]string]error
	silent error
}

func (k *connectionAnswers) of(spec credential.Spec, ask func() error) error {
	connection := [2]string{spec.Vendor, spec.Connection}
	err, asked := k.byName[connection]
	switch {
	case asked:
		return err
	case k.silent != nil:
		return k.silent
	}
	if err = ask(); errors.Is(err, errNoAnswer) {
		k.silent = err
	}
	k.byName[connection] = err
	return err
}

// importOne returns a *detail for what is wrong with the line.
func (a *api) importOne(ctx context.Context, tenant uuid.UUID, line *importLine, known *connectionAnswers) (importResult, error) {
	spec, digest, err := line.spec(tenant)
	if err != nil {
		return importResult{}, refuse(problemInvalid).because(err.Error())
	}
	if line.ExpiresAt != "" && !spec.ExpiresAt.After(a.store.Now()) {
		return importResult{}, refuse(problemInvalid).because("the expiry has passed")
	}
	if spec.Kind == credential.KindWebhook {
		switch err := known.of(spec, func() error { return a.checkConnectionOf(ctx, spec, "") }); {
		case errors.Is(err, errNoAnswer):
			return importResult{}, a.problemOf(ctx, err)
		case err != nil:
			return importResult{}, err
		}
	}
	c, created, err := a.store.Import(ctx, spec, digest)
	switch {
	case errors.Is(err, credential.ErrInvalid):
		return importResult{}, refuse(problemInvalid).because(err.Error())
	case errors.Is(err, store.ErrDigestTaken):
		return importResult{}, refuse(problemNotImportable)
	case err != nil:
		return importResult{}, err
	case created:
		return importResult{ID: c.ID.String(), Status: "created"}, nil
	}
	return importResult{ID: c.ID.String(), Status: "exists"}, nil
}

var (
	errNoDigest   = errors.New("the digest is missing")
	errNotRFC3339 = errors.New("the expiry must be RFC 3339")
)

func (l *importLine) spec(tenant uuid.UUID) (spec credential.Spec, digest credential.Digest, err error) {
	spec = credential.Spec{
		Tenant: tenant, Kind: credential.Kind(l.Kind), Label: l.Label, Vendor: l.Vendor, Connection: l.Connection,
		Metadata: string(l.Metadata),
	}
	if l.Digest == "" {
		return spec, digest, errNoDigest
	}
	if digest, err = parseSHA256(l.Digest); err != nil {
		return spec, digest, err
	}
	if l.ExpiresAt != "" {
		if spec.ExpiresAt, err = time.Parse(time.RFC3339, l.ExpiresAt); err != nil {
			return spec, digest, errNotRFC3339
		}
	}
	spec.AllowedIPs, err = parseIPs(l.AllowedIPs)
	return spec, digest, err
}
