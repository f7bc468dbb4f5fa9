package admin

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

// facade is the operations on credentials of one kind as Matcher has them, or would:
// Request asks for one, Secret answers with its token, and List is what there is, which
// has the entries that entry returns under member.
type facade[Request, Secret, List any] struct {
	kind                       credential.Kind
	path, tag                  string
	mint, list, rotate, revoke operationText

	spec   func(*Request) credential.Spec
	secret func(*credential.Credential, string) Secret
	member string
	entry  func(*credential.Credential) any

	// mintable and rotatable, where set, tell why a credential cannot be made or
	// replaced, with one of the problems. They are asked before anything changes.
	mintable         func(context.Context, credential.Spec) error
	mintProblems     []problem.Problem
	rotatable        func(*credential.Credential) error
	rotationProblems []problem.Problem
}

// operationText is how an operation is documented.
type operationText struct{ id, summary, description string }

func (t operationText) of(method, path, tag string) huma.Operation {
	return huma.Operation{
		OperationID: t.id, Method: method, Path: path, Tags: []string{tag}, Summary: t.summary, Description: t.description,
	}
}

// named is the input of an operation on one credential.
type named interface{ id() uuid.UUID }

type (
	requestInput[Request any] struct {
		Body Request
	}
	secretOutput[Secret any] struct {
		CacheControl string `header:"Cache-Control" example:"no-store"`
		Body         Secret
	}
)

// noStore keeps tokens out of the caches of browsers and proxies.
const noStore = "no-store"

// registerFacade adds the four operations. The path parameter of those on one
// credential is the field of Named.
func registerFacade[Named named, Request, Secret, List any](a *admin, parameter string, f facade[Request, Secret, List]) {
	one := f.path + "/{" + parameter + "}"
	answer := func(c credential.Credential, token string, err error) (*secretOutput[Secret], error) {
		if err != nil {
			return nil, err
		}
		return &secretOutput[Secret]{CacheControl: noStore, Body: f.secret(&c, token)}, nil
	}

	mint := repeatable(f.mint.of(http.MethodPost, f.path, f.tag))
	mint.DefaultStatus = http.StatusCreated
	register(a, bearer.Mint, mint, slices.Concat(tenantProblems, f.mintProblems, bodyProblems, repeatProblems, mirrorProblems(problem.NotKept)),
		func(ctx context.Context, tenant uuid.UUID, in *requestInput[Request]) (*secretOutput[Secret], error) {
			spec := f.spec(&in.Body)
			spec.Tenant, spec.Kind = tenant, f.kind
			if f.mintable != nil {
				if err := f.mintable(ctx, spec); err != nil {
					return nil, err
				}
			}
			if a.mirror != nil {
				return nil, a.relayMint(ctx, spec)
			}
			return answer(a.mint(ctx, spec))
		})

	register(a, bearer.Read, f.list.of(http.MethodGet, f.path, f.tag), append(mirrorProblems(), problem.ManyLists),
		func(ctx context.Context, tenant uuid.UUID, _ *struct{}) (*listOutput, error) {
			if a.mirror != nil && f.kind == credential.KindCallback {
				return nil, a.relayList(ctx, tenant)
			}
			return a.listed(ctx, f.member, func(l *listing) (string, error) {
				return "", a.store.List(ctx, tenant, f.kind, func(page []credential.Credential) error {
					for i := range page {
						l.add(f.entry(&page[i]))
					}
					return l.flush()
				})
			}), nil
		})
	documentList[List](a, f.path)

	rotate := repeatable(f.rotate.of(http.MethodPost, one+"/rotate", f.tag))
	rotate.DefaultStatus = http.StatusCreated
	register(a, bearer.Mint, rotate,
		slices.Concat(tenantProblems, []problem.Problem{problem.NotFound, problem.Inactive, problem.Disabled, problem.GraceOpen}, f.rotationProblems, repeatProblems, mirrorProblems(problem.NotKept)),
		func(ctx context.Context, tenant uuid.UUID, in *Named) (*secretOutput[Secret], error) {
			ref := store.Ref{Tenant: tenant, Kind: f.kind, ID: (*in).id()}
			if f.rotatable != nil {
				old, err := a.store.Get(ctx, ref)
				if err == nil {
					err = f.rotatable(&old)
				}
				if err != nil {
					return nil, err
				}
			}
			if a.mirror != nil {
				if handled, err := a.relayRotation(ctx, ref); handled || err != nil {
					return nil, err
				}
			}
			return answer(a.rotate(ctx, ref, store.Rotation{}))
		})

	register(a, bearer.Change, f.revoke.of(http.MethodDelete, one, f.tag), append(mirrorProblems(problem.NotAtMatcher), problem.NotFound),
		func(ctx context.Context, tenant uuid.UUID, in *Named) (*struct{}, error) {
			ref := store.Ref{Tenant: tenant, Kind: f.kind, ID: (*in).id()}
			if a.mirror != nil && f.kind == credential.KindCallback {
				return nil, a.relayRevocation(ctx, ref)
			}
			return nil, a.store.Revoke(ctx, ref)
		})
}
