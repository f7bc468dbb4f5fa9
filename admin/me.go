package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
)

type meOutput struct {
	CacheControl string `header:"Cache-Control" example:"no-store"`
	Body         api.Me
}

// meKey is that of the identity in a context.
type meKey struct{}

// registerMe adds the operation by which operators learn their tenants, so it is the one
// that goes without a choice among them.
func (a *admin) registerMe() {
	op := huma.Operation{
		OperationID: "whoAmI", Method: http.MethodGet, Path: api.MePath, Tags: []string{"Operators"},
		Summary:     "Tell who is asking",
		Description: "The role and the tenants that the bearer token, or the session of the console, proves.",
		Security:    []map[string][]string{{bearerAuth: {}}},
		Middlewares: huma.Middlewares{a.recognise, plainQuery, readBody(maxBody)},
		Responses:   problemResponses(a.huma, nil),
	}
	op.BodyReadTimeout = -1 // readBody has done it
	huma.Register(a.huma, op, func(ctx context.Context, _ *struct{}) (*meOutput, error) {
		who, operator := ctx.Value(meKey{}).(bearer.Identity), exchangeOf(ctx).operator
		me := api.Me{Subject: actorName(who.Subject), Role: string(who.Role), Tenant: operator.Tenant, Tenants: []uuid.UUID{}, ExpiresAt: who.Until.UTC()}
		for _, t := range who.Tenants {
			me.Tenants = append(me.Tenants, t.Tenant)
		}
		return &meOutput{CacheControl: noStore, Body: me}, nil
	})
}

// recognise is authorise for operators who may not have chosen their tenant yet.
func (a *admin) recognise(ctx huma.Context, next func(huma.Context)) {
	x := exchangeOf(ctx.Context())
	x.operation = ctx.Operation().OperationID
	r, _ := humago.Unwrap(ctx)
	who, unproved := a.identify(r)
	operator := bearer.Operator{Subject: who.Subject, Role: who.Role}
	if unproved == nil {
		chosen, refusal := who.In(r.Header.Values(api.TenantHeader))
		switch {
		case refusal == nil:
			operator = chosen
		case refusal.Reason != bearer.NoChoice:
			unproved = refusal
		}
	}
	if unproved != nil {
		refuseBearer(unproved).write(x)
		return
	}
	if refusal := a.admit(operator, bearer.Read); refusal != nil {
		a.refused(ctx.Context(), operator, x.operation, refusal.Code)
		refusal.write(x)
		return
	}
	x.operator = operator
	next(huma.WithValue(ctx, meKey{}, who))
}
