package admin

import (
	"bytes"
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/store"
)

// patched is a member of a JSON merge patch (RFC 7396): absent, null, or a value.
// Null and the zero value both take away what was there.
type patched[T any] struct {
	present bool
	null    bool
	value   T
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *patched[T]) UnmarshalJSON(data []byte) error {
	p.present = true
	if bytes.Equal(data, []byte("null")) {
		p.null = true
		return nil
	}
	return json.Unmarshal(data, &p.value)
}

// pointer returns nil where the member is absent.
func (p *patched[T]) pointer() *T {
	if !p.present {
		return nil
	}
	return &p.value
}

// Schema implements huma.SchemaProvider.
func (patched[T]) Schema(r huma.Registry) *huma.Schema {
	schema := *huma.SchemaFromType(r, reflect.TypeFor[T]())
	schema.Nullable = true
	return &schema
}

type (
	patchCredentialRequest struct {
		Label      patched[string]    `json:"label,omitzero" maxLength:"128" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"Billing"`
		ExpiresAt  patched[time.Time] `json:"expiresAt,omitzero" example:"2127-01-02T03:04:05.678Z" doc:"null for never."`
		AllowedIPs patched[[]string]  `json:"allowedIps,omitzero" maxItems:"64" example:"[\"203.0.113.0/24\"]" doc:"Addresses and CIDR prefixes; null for any."`
	}
	patchCredentialInput struct {
		ID   credentialID `path:"id" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"`
		Body patchCredentialRequest
	}
)

func (a *api) registerPatch(path string) {
	register(a, RoleAdmin, huma.Operation{
		OperationID: "updateCredential", Method: http.MethodPatch, Path: path,
		Tags: credentialTags, Summary: "Change a credential",
		Description: "A JSON merge patch: what is absent stays, null takes it away. The token stays. An expired credential can be prolonged, a revoked one cannot be changed.",
	}, append([]Problem{problemNotFound, problemInactive}, bodyProblems...), a.patchCredential)
	content := a.huma.OpenAPI().Paths[path].Patch.RequestBody.Content
	content[mergePatch] = content["application/json"]
}

func (a *api) patchCredential(ctx context.Context, tenant uuid.UUID, in *patchCredentialInput) (*oneCredentialOutput, error) {
	patch := store.Patch{Label: in.Body.Label.pointer(), ExpiresAt: in.Body.ExpiresAt.pointer()}
	if patch.ExpiresAt != nil && !in.Body.ExpiresAt.null {
		if patch.ExpiresAt.IsZero() { // which would mean never; that is what null is for
			return nil, refuse(problemInvalid).at("body.expiresAt", "expected a time in the future")
		}
		if err := a.checkExpiry("body.expiresAt", *patch.ExpiresAt); err != nil {
			return nil, err
		}
	}
	if in.Body.AllowedIPs.present {
		prefixes, err := parseIPs(in.Body.AllowedIPs.value)
		if err != nil {
			return nil, refuse(problemInvalid).at("body.allowedIps", err.Error())
		}
		patch.AllowedIPs = &prefixes
	}
	c, err := a.store.Update(ctx, anyKind(tenant, in.ID), patch)
	if err != nil {
		return nil, err
	}
	return &oneCredentialOutput{Body: a.show(&c)}, nil
}
