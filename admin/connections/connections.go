// Package connections knows which aggregator connections exist, so that no webhook
// token is minted for one that does not.
package connections

import (
	"context"
	"slices"

	"github.com/google/uuid"
)

// Source tells which connections exist.
type Source interface {
	// Exists reports whether there is such a connection. An error means that it cannot
	// be told; nothing is minted then. Its text is logged.
	Exists(context.Context, Query) (bool, error)
}

// Query names a connection of a tenant with a vendor.
type Query struct {
	Tenant       uuid.UUID
	Vendor, Name string
	// Bearer is the token of the operator who asks, which was verified.
	Bearer string
}

// Any takes the operator's word for every connection.
type Any struct{}

// Exists returns true.
func (Any) Exists(context.Context, Query) (bool, error) { return true, nil }

// Static are the names of connections that exist, for every tenant and vendor.
type Static []string

// Exists reports whether the name is one of them.
func (s Static) Exists(_ context.Context, q Query) (bool, error) {
	return slices.Contains(s, q.Name), nil
}

var (
	_ Source = Any{}
	_ Source = Static{}
)
