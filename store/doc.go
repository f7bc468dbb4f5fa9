// Package store keeps webhook credentials: it mints tokens, writes every change
// to Redis through one atomic script, and holds the in-memory keyring that the
// guard reads. It knows nothing of HTTP or Caddy.
//
// The path of a change: mint, rotate and revoke (credentials.go) build a mutation,
// commit.go runs it as one Lua script, and the ledger it appends to is followed
// by every process (follower.go) into its keyring (keyring.go).
package store
