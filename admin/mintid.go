package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

// The functions are MintID's, https://docs.mintid.ai/api-credentials: the caller
// sends the SHA-256 of a secret of its own, a rotation changes it in place, and every
// answer is {"ok": true}. There is no function that lists: the ids are in the lists
// of the resource API.
type (
	createRecordArguments struct {
		BrandID          string         `json:"_brand_id" format:"uuid"`
		Name             string         `json:"_name" minLength:"1" maxLength:"128"`
		ClientID         string         `json:"_client_id" pattern:"^[!-9;-~]{1,128}$"`
		ClientSecretHash string         `json:"_client_secret_hash" pattern:"^([sS][hH][aA]256:)?[0-9A-Fa-f]{64}$"`
		Scopes           []string       `json:"_scopes,omitempty" maxItems:"64"`
		Metadata         api.JSONObject `json:"_metadata,omitempty"`
		ExpiresAt        *time.Time     `json:"_expires_at,omitempty"`
	}
	revokeRecordArguments struct {
		BrandID      string `json:"_brand_id" format:"uuid"`
		CredentialID string `json:"_credential_id" format:"uuid"`
		Reason       string `json:"_reason,omitempty" maxLength:"256"`
	}
	rotateRecordArguments struct {
		BrandID       string `json:"_brand_id" format:"uuid"`
		CredentialID  string `json:"_credential_id" format:"uuid"`
		NewSecretHash string `json:"_new_secret_hash" pattern:"^([sS][hH][aA]256:)?[0-9A-Fa-f]{64}$"`
		Reason        string `json:"_reason,omitempty" maxLength:"256"`
	}
)

// Refusals of the functions.
var (
	errOtherBrand   = refuseRPC(http.StatusForbidden, rpcForbidden, "permission denied: _brand_id is not the tenant of the bearer token")
	errNoRecord     = invalidInput("there is no such api credential")
	errEndedRecord  = invalidInput("the api credential is revoked or expired")
	errPausedRecord = invalidInput("the api credential is disabled: enable it before its secret is replaced")
	errTakenClient  = refuseRPC(http.StatusConflict, rpcDuplicate, `duplicate key value violates unique constraint "api_credentials_client_id_key"`).
			explain("The client id belongs to a credential that is not revoked.", "")
	errMalformedID  = invalidInput("_credential_id must be a UUID")
	errBrandID      = invalidInput("_brand_id must be a UUID")
	errPastExpiry   = invalidInput("_expires_at must be in the future")
	errNoName       = invalidInput("_name is missing")
	errNameToken    = invalidInput("_name holds a token")
	errReason       = invalidInput("_reason must be at most 256 characters without control characters")
	errNoSecretHash = invalidInput("the secret hash is missing")
)

func (a *admin) mintIDFunctions() []*rpcFunction {
	return []*rpcFunction{
		newRPC(rpcFunction{
			name: "create_api_credential_record", operation: "createApiCredentialRecord", needs: bearer.Mint, summary: "Create an api credential",
			description: "The secret never comes here, only its SHA-256. The client id must not be that of any credential that is not revoked.",
			refusals:    []*rpcError{errTakenClient, asRPC(refuse(problem.Quota))},
		}, a.createRecord),
		newRPC(rpcFunction{
			name: "revoke_api_credential_record", operation: "revokeApiCredentialRecord", needs: bearer.Change, summary: "Revoke an api credential",
			description: "Ends it for good, and frees its client id. Revoking it again changes nothing.",
		}, a.revokeRecord),
		newRPC(rpcFunction{
			name: "rotate_api_credential_secret_record", operation: "rotateApiCredentialSecretRecord", needs: bearer.Mint, summary: "Replace the secret of an api credential",
			description: "In place: id, client id, scopes and metadata stay. The old secret is refused at once, and is never accepted again.",
		}, a.rotateRecord),
	}
}

func (a *admin) createRecord(ctx context.Context, who bearer.Operator, args *createRecordArguments) error {
	if err := checkBrand(who, args.BrandID); err != nil {
		return a.noteBrand(ctx, who, err)
	}
	spec := credential.Spec{
		Tenant: who.Tenant, Kind: credential.KindAPI, Label: args.Name, ClientID: args.ClientID,
		Scopes: args.Scopes, Metadata: string(args.Metadata),
	}
	var err error
	if spec.SecretHash, err = parseSHA256(args.ClientSecretHash); err != nil {
		return invalidInput("_client_secret_hash: " + err.Error())
	}
	switch {
	case args.Name == "":
		return errNoName
	case credential.HoldsToken(args.Name):
		return errNameToken
	case args.ExpiresAt != nil && !args.ExpiresAt.After(a.store.Now()):
		return errPastExpiry
	case args.ExpiresAt != nil:
		spec.ExpiresAt = *args.ExpiresAt
	}
	_, _, err = a.mint(ctx, spec)
	return recordError(err)
}

// revokeRecord is idempotent, as revoking is everywhere: a caller that lost the
// answer must be able to ask again, and to wait for replicas.
func (a *admin) revokeRecord(ctx context.Context, who bearer.Operator, args *revokeRecordArguments) error {
	ref, err := recordRef(who, args.BrandID, args.CredentialID)
	if err != nil {
		return a.noteBrand(ctx, who, err)
	}
	if !validReason(args.Reason) {
		return errReason
	}
	return recordError(a.store.Revoke(withOrigin(ctx, args.Reason), ref))
}

func (a *admin) rotateRecord(ctx context.Context, who bearer.Operator, args *rotateRecordArguments) error {
	ref, err := recordRef(who, args.BrandID, args.CredentialID)
	if err != nil {
		return a.noteBrand(ctx, who, err)
	}
	if !validReason(args.Reason) {
		return errReason
	}
	secret, err := parseSHA256(args.NewSecretHash)
	if err != nil {
		return invalidInput("_new_secret_hash: " + err.Error())
	}
	if secret == (credential.Digest{}) {
		return errNoSecretHash
	}
	return recordError(a.store.ReplaceSecret(withOrigin(ctx, args.Reason), ref, secret))
}

// noteBrand puts an attempt at another tenant's credentials on record.
func (a *admin) noteBrand(ctx context.Context, who bearer.Operator, err error) error {
	if err == error(errOtherBrand) {
		a.refused(ctx, who, exchangeOf(ctx).operation, rpcForbidden)
	}
	return err
}

func checkBrand(who bearer.Operator, brand string) error {
	switch tenant, err := bearer.ParseTenant(brand); {
	case err != nil:
		return errBrandID
	case tenant != who.Tenant:
		return errOtherBrand
	}
	return nil
}

func recordRef(who bearer.Operator, brand, cred string) (store.Ref, error) {
	if err := checkBrand(who, brand); err != nil {
		return store.Ref{}, err
	}
	id, err := uuid.Parse(cred)
	if err != nil {
		return store.Ref{}, errMalformedID
	}
	return store.Ref{Tenant: who.Tenant, Kind: credential.KindAPI, ID: id}, nil
}

func validReason(reason string) bool {
	return utf8.RuneCountInString(reason) <= credential.MaxReasonLength && !strings.ContainsFunc(reason, unicode.IsControl)
}

// recordError says an error of the store in the words of the functions.
func recordError(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return errNoRecord
	case errors.Is(err, store.ErrInactive):
		return errEndedRecord
	case errors.Is(err, store.ErrDisabled):
		return errPausedRecord
	case errors.Is(err, store.ErrClientIDTaken):
		return errTakenClient
	case errors.Is(err, credential.ErrInvalid):
		return invalidInput(strings.TrimPrefix(err.Error(), credential.ErrInvalid.Error()+": "))
	}
	return err
}
