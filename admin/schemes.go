package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/proof"
)

type schemesOutput struct {
	Body api.SchemeList
}

func (a *admin) registerSchemes() {
	list := &schemesOutput{}
	for _, preset := range proof.Presets() {
		list.Body.Schemes = append(list.Body.Schemes, api.ListedScheme{
			Name: preset.Name, Title: preset.Title, Secret: preset.Secret, Notes: preset.Notes,
		})
	}
	register(a, bearer.Read, huma.Operation{
		OperationID: "listSchemes", Method: http.MethodGet, Path: api.SchemesPath,
		Tags: credentialTags, Summary: "List how vendors sign",
		Description: "The names that the scheme of a credential's verify can have, by name. They are those of the process that answers, and the same for every tenant.",
	}, nil, func(context.Context, uuid.UUID, *struct{}) (*schemesOutput, error) { return list, nil })
}
