package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// Connections knows which aggregator connections exist, so that no webhook token is
// minted for one that does not.
type Connections interface {
	// Exists reports whether there is such a connection. An error means that it cannot
	// be told; nothing is minted then. Its text is logged.
	Exists(context.Context, ConnectionQuery) (bool, error)
}

// ConnectionQuery names a connection of a tenant with a vendor.
type ConnectionQuery struct {
	Tenant       uuid.UUID
	Vendor, Name string
	// Bearer is the token of the operator who asks, which was verified.
	Bearer string
}

// connectionProblems are what checkConnectionOf can answer.
var connectionProblems = []Problem{
	problemNoConnection, problemNotConfigured, problemNoAnswer, problemMatcherAnswer, problemMatcherRefuses, problemMatcherTimeout,
}

// checkConnectionOf keeps a webhook token from being made for a connection that is
// not known to exist, by whatever way. The location is where the request names it,
// "" where nothing can tell.
func (a *api) checkConnectionOf(ctx context.Context, spec credential.Spec, location string) error {
	switch {
	case spec.Vendor == "" || spec.Connection == "":
		return refuse(problemInvalid).at("body", "a webhook credential needs a vendor and a connection")
	case a.connections == nil:
		return refuse(problemNotConfigured)
	}
	if err := a.checkName(spec.Connection); err != nil {
		if location == "" {
			return refuse(problemInvalid).because(err.Error())
		}
		return refuse(problemInvalid).at(location, err.Error())
	}
	query := ConnectionQuery{Tenant: spec.Tenant, Vendor: spec.Vendor, Name: spec.Connection}
	// It has been through authorise, so it is well-formed.
	query.Bearer, _ = bearerToken(exchangeOf(ctx).authorization)
	exists, err := a.connections.Exists(ctx, query)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	case !exists:
		return refuse(problemNoConnection)
	}
	return nil
}

func (a *api) checkName(connection string) error {
	if a.checkConnection == nil {
		return nil
	}
	return a.checkConnection(connection)
}

// AnyConnection takes the operator's word for every connection.
type AnyConnection struct{}

// Exists returns true.
func (AnyConnection) Exists(context.Context, ConnectionQuery) (bool, error) { return true, nil }

// StaticConnections are the names of connections that exist, for every tenant and
// vendor.
type StaticConnections []string

// Exists reports whether the name is one of them.
func (s StaticConnections) Exists(_ context.Context, q ConnectionQuery) (bool, error) {
	return slices.Contains(s, q.Name), nil
}

var (
	_ Connections = AnyConnection{}
	_ Connections = StaticConnections{}
)
