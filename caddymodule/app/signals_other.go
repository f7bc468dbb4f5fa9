//go:build !unix

package app

// takeSignals: there are none to take from Caddy.
func takeSignals() {}
