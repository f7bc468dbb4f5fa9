package admin

import (
	"context"
	"fmt"

	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
)

// connectionProblems are what checkConnectionOf can answer.
var connectionProblems = []problem.Problem{
	problem.NoConnection, problem.NotConfigured, problem.NoAnswer, problem.MatcherAnswer, problem.MatcherRefuses, problem.MatcherTimeout,
}

// checkConnectionOf keeps a webhook token from being made for a connection that is
// not known to exist, by whatever way. The location is where the request names it,
// "" where nothing can tell.
func (a *admin) checkConnectionOf(ctx context.Context, spec credential.Spec, location string) error {
	switch {
	case spec.Vendor == "" || spec.Connection == "":
		return refuse(problem.Invalid).at("body", "a webhook credential needs a vendor and a connection")
	case a.connections == nil:
		return refuse(problem.NotConfigured)
	}
	if err := a.checkName(spec.Connection); err != nil {
		if location == "" {
			return refuse(problem.Invalid).because(err.Error())
		}
		return refuse(problem.Invalid).at(location, err.Error())
	}
	exists, err := a.connections.Exists(ctx, connections.Query{
		Tenant: spec.Tenant, Vendor: spec.Vendor, Name: spec.Connection, Bearer: exchangeOf(ctx).operator.Token,
	})
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	case !exists:
		return refuse(problem.NoConnection)
	}
	return nil
}

func (a *admin) checkName(connection string) error {
	if a.checkConnection == nil {
		return nil
	}
	return a.checkConnection(connection)
}
