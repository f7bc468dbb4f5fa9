// Package upstream sends requests to the one server behind the guard. It knows
// nothing of credentials, nor of Caddy.
package upstream
