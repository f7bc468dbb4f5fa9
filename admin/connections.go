package admin

import (
	"context"
	"fmt"

	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
)

// connectionProblems are what checkConnection can answer.
var connectionProblems = []problem.Problem{
	problem.NoConnection, problem.NoBearer, problem.NotConfigured, problem.NoAnswer, problem.MatcherAnswer, problem.MatcherRefuses, problem.MatcherTimeout,
}

// checkConnection keeps a webhook token from being made that no guard would take, or
// for a connection that is not known to exist, by whatever way. The locations are where
// the request names vendor and connection, "" where nothing can tell.
func (a *admin) checkConnection(ctx context.Context, spec credential.Spec, vendorAt, connectionAt string) error {
	switch {
	case spec.Vendor == "" || spec.Connection == "":
		return refuse(problem.Invalid).at("body", "a webhook credential needs a vendor and a connection")
	case a.connections == nil && a.mirror == nil:
		return refuse(problem.NotConfigured)
	}
	if err := a.checkWebhook(spec, vendorAt, connectionAt); err != nil {
		return err
	}
	if a.connections == nil { // Matcher itself says whether there is one
		return nil
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
