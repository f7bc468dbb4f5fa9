package admin

import (
	"context"
	"slices"

	"github.com/google/uuid"
)

// Connections knows which aggregator connections exist, so that no webhook token is
// minted for one that does not.
type Connections interface {
	// Exists reports whether a tenant has a connection of this name with a vendor. An
	// error means that it cannot be told; nothing is minted then. Its text is logged.
	Exists(ctx context.Context, tenant uuid.UUID, vendor, name string) (bool, error)
}

// AnyConnection takes the operator's word for every connection.
type AnyConnection struct{}

// Exists returns true.
func (AnyConnection) Exists(context.Context, uuid.UUID, string, string) (bool, error) {
	return true, nil
}

// StaticConnections are the names of connections that exist, for every tenant and
// vendor.
type StaticConnections []string

// Exists reports whether the name is one of them.
func (s StaticConnections) Exists(_ context.Context, _ uuid.UUID, _, name string) (bool, error) {
	return slices.Contains(s, name), nil
}

var (
	_ Connections = AnyConnection{}
	_ Connections = StaticConnections{}
)
