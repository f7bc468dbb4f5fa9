package admin

import (
	"net/http"
	"slices"
)

// Problem is one entry of the table of error codes. A code never changes its
// meaning, and a retired one is not used again: clients branch on it.
type Problem struct {
	Code   string // HKG-2NNN
	Status int
	Title  string // the standard phrase of the status, as RFC 9457 wants it for about:blank
	// Meaning is what the code says, and the detail of an answer that has nothing
	// more precise to tell.
	Meaning string
}

// Problems returns the table of error codes, in the order of the codes.
func Problems() []Problem { return slices.Clone(problems) }

var problems []Problem

func define(code string, status int, meaning string) Problem {
	p := Problem{Code: code, Status: status, Title: http.StatusText(status), Meaning: meaning}
	problems = append(problems, p)
	return p
}

// The codes. HKG-24NN and HKG-25NN say no more than the HTTP status 4NN or 5NN;
// HKG-20NN are what only this API can mean.
var (
	problemNoTenant = define("HKG-2001", http.StatusForbidden,
		"The bearer token names no tenant.")
	problemNotFound = define("HKG-2002", http.StatusNotFound,
		"There is no such credential.")
	problemInactive = define("HKG-2003", http.StatusConflict,
		"The credential is revoked or expired, so it can be neither rotated nor changed.")
	problemNoConnection = define("HKG-2004", http.StatusNotFound,
		"There is no such aggregator connection.")
	problemNotConfigured = define("HKG-2005", http.StatusServiceUnavailable,
		"Webhook tokens cannot be issued: this server is configured without a public URL or without connections.")
	problemNoAnswer = define("HKG-2006", http.StatusServiceUnavailable,
		"Whether the aggregator connection exists cannot be found out at the moment.")
	problemNotReplicated = define("HKG-2007", http.StatusServiceUnavailable,
		"The change is made and holds, but not yet on as many replicas as configured. Repeating a revocation waits for them again.")
	problemGraceOpen = define("HKG-2008", http.StatusConflict,
		"A grace period is open: an earlier rotation's old credential is still accepted. Finish it first, or rotate its successor with force.")
	problemNoGrace = define("HKG-2009", http.StatusConflict,
		"No grace period is open, so there is none to end.")
	problemClientIDTaken = define("HKG-2010", http.StatusConflict,
		"The client id belongs to a credential that is not revoked.")
	problemKeyReused = define("HKG-2011", http.StatusConflict,
		"The Idempotency-Key was used for another request within the last 24 hours.")
	problemReplayed = define("HKG-2012", http.StatusConflict,
		"The request was made before with this Idempotency-Key; errors names the credential it made, whose token is shown only once.")
	problemNotImportable = define("HKG-2013", http.StatusConflict,
		"The digest cannot be imported.")
	problemNoKeys = define("HKG-2020", http.StatusServiceUnavailable,
		"The keys that verify bearer tokens cannot be read from their issuer at the moment.")
	problemMatcherAnswer = define("HKG-2030", http.StatusBadGateway,
		"Matcher cannot be reached, or its answer does not tell whether the aggregator connection exists.")
	problemMatcherRefuses = define("HKG-2031", http.StatusBadGateway,
		"Matcher does not accept this bearer token for its list of connections.")
	problemMatcherTimeout = define("HKG-2032", http.StatusGatewayTimeout,
		"Matcher did not tell in time whether the aggregator connection exists.")

	problemMalformed = define("HKG-2400", http.StatusBadRequest,
		"The request body is missing, unreadable or not a JSON document.")
	problemUnauthenticated = define("HKG-2401", http.StatusUnauthorized,
		"The bearer token is missing or not valid.")
	problemRole = define("HKG-2403", http.StatusForbidden,
		"The role in the bearer token does not allow this operation.")
	problemNoRoute = define("HKG-2404", http.StatusNotFound,
		"There is no such resource. Paths are matched exactly.")
	problemMethod = define("HKG-2405", http.StatusMethodNotAllowed,
		"The resource does not support this method.")
	problemSlowBody = define("HKG-2408", http.StatusRequestTimeout,
		"The request body did not arrive in time.")
	problemTooLarge = define("HKG-2413", http.StatusRequestEntityTooLarge,
		"The request body is larger than 64 KiB, or 1 MiB for an import.")
	problemMediaType = define("HKG-2415", http.StatusUnsupportedMediaType,
		"The request body must be application/json.")
	problemInvalid = define("HKG-2422", http.StatusUnprocessableEntity,
		"The request does not match its schema; errors says where.")
	problemTooMany = define("HKG-2429", http.StatusTooManyRequests,
		"Too many requests by the subject of this bearer token.")

	problemInternal = define("HKG-2500", http.StatusInternalServerError,
		"Internal error. The log has more under this request id.")
	problemUnavailable = define("HKG-2503", http.StatusServiceUnavailable,
		"The credential store is unavailable. Nothing was acknowledged; a change may have been made all the same.")
)
