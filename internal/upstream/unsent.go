package upstream

import (
	"errors"
	"net"
)

// Unsent is the failure of a request of which no byte was sent: it can be sent again,
// whatever it asks for.
type Unsent struct{ Err error }

// Error implements error.
func (e *Unsent) Error() string { return e.Err.Error() }

// Unwrap serves errors.Is and errors.As.
func (e *Unsent) Unwrap() error { return e.Err }

// NotSent reports whether err says that no byte of the request was sent. Of any other
// error it is not known: the upstream may have taken the request. A dial that failed
// says so too, so that the question can be asked of Caddy's reverse_proxy.
func NotSent(err error) bool {
	var unsent *Unsent
	var dial *net.OpError
	return errors.As(err, &unsent) || errors.As(err, &dial) && dial.Op == "dial"
}
