package handlers

import (
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
)

// problem is one kind of refusal. Its words are the same for every cause, so that
// they tell an attacker nothing.
type problem struct {
	status int
	Code   string
	detail string
}

// The guard's answers.
var (
	problemAmbiguous   = problem{http.StatusBadRequest, "HKG-1400", "The request can be read in more than one way."}
	problemRefused     = problem{http.StatusUnauthorized, "HKG-1401", "The credential is missing or not valid."}
	problemForbidden   = problem{http.StatusForbidden, "HKG-1403", "The credential is not valid for this request."}
	ProblemNoRoute     = problem{http.StatusNotFound, "HKG-1404", "There is nothing at this path."}
	problemMethod      = problem{http.StatusMethodNotAllowed, "HKG-1405", "The path does not take this method."}
	problemBodyCutOff  = problem{http.StatusRequestTimeout, "HKG-1408", "The body did not arrive in full. Send the request again."}
	problemTooLarge    = problem{http.StatusRequestEntityTooLarge, "HKG-1413", "The body is too large."}
	problemThrottled   = problem{http.StatusTooManyRequests, "HKG-1429", "Too many requests were refused."}
	problemInternal    = problem{http.StatusInternalServerError, "HKG-1500", "Internal error."}
	problemBadGateway  = problem{http.StatusBadGateway, "HKG-1502", "The upstream cannot be reached. The request can be sent again."}
	problemUnavailable = problem{http.StatusServiceUnavailable, "HKG-1503", "The credential cannot be checked at the moment. Send the request again."}
	problemTimeout     = problem{http.StatusGatewayTimeout, "HKG-1504", "The upstream did not answer in time."}
)

// problemFor returns the answer to a refused request. Every refused credential
// gets the same one.
func problemFor(o guard.Outcome) problem {
	switch o {
	case guard.Ambiguous:
		return problemAmbiguous
	case guard.NoRoute:
		return ProblemNoRoute
	case guard.Method:
		return problemMethod
	case guard.TooLarge:
		return problemTooLarge
	case guard.SourceIP, guard.Scope, guard.BadSignature:
		return problemForbidden
	case guard.Throttled:
		return problemThrottled
	case guard.Stale:
		return problemUnavailable
	default:
		return problemRefused
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

// write answers with the problem as RFC 9457 has it.
func (p problem) write(w http.ResponseWriter, requestID uuid.UUID) error {
	id := requestID.String()
	body := p.body(id)
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Request-Id", id)
	w.WriteHeader(p.status)
	_, err := w.Write(body)
	return err
}

// body returns the problem as JSON. Nothing in it needs escaping: the words are ours.
func (p problem) body(requestID string) []byte {
	b := make([]byte, 0, 256)
	b = append(b, `{"title":"`...)
	b = append(b, http.StatusText(p.status)...)
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(p.status), 10)
	b = append(b, `,"detail":"`...)
	b = append(b, p.detail...)
	b = append(b, `","instance":"urn:uuid:`...)
	b = append(b, requestID...)
	b = append(b, `","code":"`...)
	b = append(b, p.Code...)
	return append(b, `"}`...)
}
