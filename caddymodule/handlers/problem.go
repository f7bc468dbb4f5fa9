package handlers

import (
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/problem"
)

// problemFor returns the answer to a refused request. Every refused credential
// gets the same one.
func problemFor(o guard.Outcome) problem.Problem {
	switch o {
	case guard.Ambiguous:
		return problem.Ambiguous
	case guard.NoRoute:
		return problem.NoRoute
	case guard.Method:
		return problem.Method
	case guard.TooLarge:
		return problem.TooLarge
	case guard.SourceIP, guard.Scope, guard.BadSignature:
		return problem.Forbidden
	case guard.Throttled:
		return problem.Throttled
	case guard.Stale:
		return problem.Unavailable
	default:
		return problem.Refused
	}
}

// challenge returns what a 401 on a path for this kind of credential asks for. It
// depends on the path alone: the body is the same everywhere.
func challenge(kind credential.Kind) string {
	if kind == credential.KindAPI {
		return `Basic realm="hookgate", charset="UTF-8"`
	}
	return `Token realm="hookgate"`
}
