package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

type (
	importInput struct {
		Body api.ImportRequest
	}
	importOutput struct {
		Body api.ImportResponse
	}
)

func (a *admin) registerImport() {
	register(a, bearer.Change, huma.Operation{
		OperationID: "importCredentials", Method: http.MethodPost, Path: api.CredentialsPath + "/import",
		MaxBodyBytes: importBody, Tags: credentialTags, Summary: "Import tokens by their digest",
		Description: "Makes credentials for tokens that were minted elsewhere, of which only the SHA-256 is known. " +
			"Each is reported on its own. Importing them again changes nothing, so a request that failed can be repeated. " +
			"A digest that was revoked, or belongs to another tenant, is refused; which of the two is not told.",
	}, bodyProblems, a.importCredentials)
}

func (a *admin) importCredentials(ctx context.Context, tenant uuid.UUID, in *importInput) (*importOutput, error) {
	out := &importOutput{Body: api.ImportResponse{Results: make([]api.ImportResult, len(in.Body.Credentials))}}
	ctx = connections.ReadOnce(ctx)
	var counts store.ImportCounts
	known := connectionAnswers{byName: make(map[[2]string]error)}
	for i := range in.Body.Credentials {
		result, err := a.importOne(ctx, tenant, &in.Body.Credentials[i], &known)
		var refusal *detail
		switch {
		case errors.As(err, &refusal):
			result = api.ImportResult{Status: api.ImportRefused, Code: refusal.Code, Detail: refusal.Detail}
		case err != nil: // the store fails: the other lines would too
			return nil, errors.Join(err, a.noteImport(ctx, tenant, counts))
		}
		switch out.Body.Results[i] = result; result.Status {
		case api.ImportCreated:
			counts.Created++
		case api.ImportExists:
			counts.Existing++
		default:
			counts.Refused++
		}
	}
	return out, a.noteImport(ctx, tenant, counts)
}

// noteTimeout bounds how long an import that was broken off still writes to the audit log.
const noteTimeout = 2 * time.Second

// noteImport records an import that has made something, or come to its end: one entry,
// however many lines.
func (a *admin) noteImport(ctx context.Context, tenant uuid.UUID, counts store.ImportCounts) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	return a.store.NoteImport(ctx, tenant, counts)
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
func (a *admin) importOne(ctx context.Context, tenant uuid.UUID, line *api.ImportLine, known *connectionAnswers) (api.ImportResult, error) {
	spec, token, err := specOfLine(tenant, line)
	if err != nil {
		return api.ImportResult{}, refuse(problem.Invalid).because(err.Error())
	}
	if line.ExpiresAt != "" && !spec.ExpiresAt.After(a.store.Now()) {
		return api.ImportResult{}, refuse(problem.Invalid).because("the expiry has passed")
	}
	if err := a.checkTenant(tenant, spec.Kind); err != nil {
		return api.ImportResult{}, err
	}
	if spec.Kind == credential.KindWebhook {
		switch err := known.of(spec, func() error { return a.checkConnection(ctx, spec, "", "") }); {
		case errors.Is(err, errNoAnswer):
			return api.ImportResult{}, a.problemOf(ctx, err)
		case err != nil:
			return api.ImportResult{}, err
		}
	}
	c, created, err := a.store.Import(ctx, spec, token)
	switch {
	case errors.Is(err, credential.ErrInvalid):
		return api.ImportResult{}, refuse(problem.Invalid).because(err.Error())
	case errors.Is(err, store.ErrSeal):
		return api.ImportResult{}, refuse(problem.NotSealable)
	case errors.Is(err, store.ErrQuota):
		return api.ImportResult{}, refuse(problem.Quota)
	case errors.Is(err, store.ErrDigestTaken):
		return api.ImportResult{}, refuse(problem.NotImportable)
	case err != nil:
		return api.ImportResult{}, err
	case created:
		return api.ImportResult{ID: c.ID.String(), Status: api.ImportCreated}, nil
	}
	return api.ImportResult{ID: c.ID.String(), Status: api.ImportExists}, nil
}
