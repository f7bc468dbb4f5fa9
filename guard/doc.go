// Package guard decides whether a request may pass. The decision is a pure
// function of what the request says, of the keyring and of the time: no I/O, no
// net/http, no Caddy, so that it can be table-tested and fuzzed alone, and any data
// plane can call it.
package guard
