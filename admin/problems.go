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

// The codes: HKG-21NN who asks, HKG-22NN the request, HKG-23NN what it asks for,
// HKG-25NN this server.
var (
	problemNoToken = define("HKG-2101", http.StatusUnauthorized,
		"The request carries no bearer token.")
	problemBadToken = define("HKG-2102", http.StatusUnauthorized,
		"The bearer token is not valid.")
	problemNoTenant = define("HKG-2103", http.StatusForbidden,
		"The bearer token names no tenant.")
	problemRole = define("HKG-2104", http.StatusForbidden,
		"The role in the bearer token does not allow this operation.")

	problemMalformed = define("HKG-2201", http.StatusBadRequest,
		"The request body is missing, unreadable or not a JSON document.")
	problemNoRoute = define("HKG-2202", http.StatusNotFound,
		"There is no such resource. Paths are matched exactly.")
	problemMethod = define("HKG-2203", http.StatusMethodNotAllowed,
		"The resource does not support this method.")
	problemSlowBody = define("HKG-2204", http.StatusRequestTimeout,
		"The request body did not arrive in time.")
	problemTooLarge = define("HKG-2205", http.StatusRequestEntityTooLarge,
		"The request body is larger than 64 KiB.")
	problemMediaType = define("HKG-2206", http.StatusUnsupportedMediaType,
		"The request body must be application/json.")
	problemInvalid = define("HKG-2207", http.StatusUnprocessableEntity,
		"The request does not match its schema; errors says where.")

	problemNotFound = define("HKG-2301", http.StatusNotFound,
		"There is no such credential.")
	problemInactive = define("HKG-2302", http.StatusConflict,
		"The credential is revoked or expired, so it cannot be rotated.")
	problemNoConnection = define("HKG-2303", http.StatusNotFound,
		"There is no such aggregator connection.")

	problemInternal = define("HKG-2501", http.StatusInternalServerError,
		"Internal error. The log has more under this request id.")
	problemUnavailable = define("HKG-2502", http.StatusServiceUnavailable,
		"The credential store is unavailable. Nothing was acknowledged; a change may have been made all the same.")
	problemNotConfigured = define("HKG-2503", http.StatusServiceUnavailable,
		"Webhook tokens cannot be issued: this server is configured without a public URL or without connections.")
	problemNoAnswer = define("HKG-2504", http.StatusServiceUnavailable,
		"Whether the aggregator connection exists cannot be found out at the moment.")
)
