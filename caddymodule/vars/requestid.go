package vars

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/guard"
)

// requestID is the request variable that holds the id of a request.
const requestID = "hookgate.request_id"

// RequestID returns the id of r, the client's own or a new one, and remembers it. It has to
// be asked for once before the header of r is changed.
func RequestID(r *http.Request) string {
	if id := KnownRequestID(r); id != "" {
		return id
	}
	id := guard.RequestID(r.Header, r.RequestURI)
	if id == "" {
		id = uuid.Must(uuid.NewV7()).String() // the system's random numbers never fail
	}
	caddyhttp.SetVar(r.Context(), requestID, id)
	return id
}

// SetRequestID notes the id that somebody else has given r, for the access log.
func SetRequestID(r *http.Request, id string) { caddyhttp.SetVar(r.Context(), requestID, id) }

// KnownRequestID returns the id of r; "" where no handler of ours has given it one.
func KnownRequestID(r *http.Request) string {
	id, _ := caddyhttp.GetVar(r.Context(), requestID).(string)
	return id
}
