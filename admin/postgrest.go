package admin

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/problem"
)

// rpcError is an error in PostgREST's form: always these four keys, null where there
// is nothing to say. https://docs.postgrest.org/en/stable/references/errors.html
type rpcError struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Details *string `json:"details"`
	Hint    *string `json:"hint"`

	status int
	header http.Header
}

// The codes of PostgREST and PostgreSQL that callers branch on.
const (
	rpcMethod       = "PGRST101"
	rpcBody         = "PGRST102"
	rpcMediaType    = "PGRST107"
	rpcNoFunction   = "PGRST202"
	rpcBadToken     = "PGRST301"
	rpcNoToken      = "PGRST302"
	rpcBadClaims    = "PGRST303"
	rpcForbidden    = "42501" // insufficient_privilege
	rpcInvalidInput = "P0001" // raise_exception
	rpcDuplicate    = "23505" // unique_violation
	rpcRaised       = "PT"    // and a status: what a function raises in PostgREST to be answered with it
)

func refuseRPC(status int, code, message string) *rpcError {
	return &rpcError{Code: code, Message: message, status: status, header: http.Header{}}
}

func invalidInput(message string) *rpcError {
	return refuseRPC(http.StatusBadRequest, rpcInvalidInput, "Invalid input: "+message)
}

func (e *rpcError) explain(details, hint string) *rpcError {
	if details != "" {
		e.Details = &details
	}
	if hint != "" {
		e.Hint = &hint
	}
	return e
}

func (e *rpcError) Error() string { return e.Code + ": " + e.Message }

const rpcContentType = "application/json; charset=utf-8"

func (e *rpcError) write(x *exchange) {
	x.code = e.Code
	for name, values := range e.header {
		x.Header()[name] = values
	}
	x.Header().Set("Content-Type", rpcContentType)
	x.WriteHeader(e.status)
	if err := json.NewEncoder(x).Encode(e); err != nil {
		x.log.Debug("the client did not take the answer", slog.String("request_id", x.id.String()))
	}
}

// rpcCodes are the codes that PostgREST has for problems. A problem that is not in it
// keeps its own.
var rpcCodes = map[string]string{
	problem.NoTenant.Code:        rpcForbidden,
	problem.TenantChoice.Code:    rpcForbidden,
	problem.CrossSite.Code:       rpcForbidden,
	problem.Role.Code:            rpcForbidden,
	problem.TenantNotServed.Code: rpcForbidden,
	problem.Quota.Code:           rpcRaised + "409",
	problem.Malformed.Code:       rpcBody,
	problem.MediaType.Code:       rpcMediaType,
}

// asRPC says a problem in PostgREST's form.
func asRPC(d *detail) *rpcError {
	e := &rpcError{Code: cmp.Or(rpcCodes[d.Code], d.Code), Message: d.Detail, status: d.Status, header: d.header.Clone()}
	if e.header == nil {
		e.header = http.Header{}
	}
	return e
}

// refuseBearerRPC tells apart what PostgREST does: no token at all, one that cannot be
// verified, and one whose claims do not hold.
func refuseBearerRPC(r *bearer.Refusal) *rpcError {
	e := asRPC(refuseBearer(r))
	switch r.Reason {
	case bearer.NoTenant, bearer.NoChoice, bearer.WrongChoice, bearer.CrossSite, bearer.NoKeys:
	case bearer.NoToken, bearer.SessionOver:
		e.Code, e.Message = rpcNoToken, "Anonymous access is disabled"
	case bearer.Expired:
		e.Code, e.Message = rpcBadClaims, "JWT expired"
	case bearer.NotYetValid, bearer.WrongIssuer, bearer.WrongAudience, bearer.NoClaim, bearer.BadSubject:
		e.Code = rpcBadClaims
	default:
		e.Code = rpcBadToken
	}
	return e
}

// checkRPCMediaType refuses a body that says to be something else than JSON.
func checkRPCMediaType(header http.Header) *rpcError {
	values := header.Values("Content-Type")
	if len(values) == 0 {
		return nil // PostgREST takes it for JSON
	}
	if mediaType, _, err := mime.ParseMediaType(values[0]); err != nil || len(values) > 1 || mediaType != "application/json" {
		return refuseRPC(http.StatusUnsupportedMediaType, rpcMediaType, "Content-Type not acceptable: only application/json is")
	}
	return nil
}

// noFunction is PostgREST's answer to an unknown function, and to argument names that
// are not those of the function: for PostgreSQL both are another function.
func noFunction(function string, arguments []string, known *rpcFunction) *rpcError {
	for i := range arguments {
		arguments[i] = clip(arguments[i])
	}
	if len(arguments) > maxErrors {
		arguments = append(arguments[:maxErrors], "…")
	}
	called := "public." + clip(function) + "(" + strings.Join(arguments, ", ") + ")"
	hint := ""
	if known != nil {
		hint = "Perhaps you meant to call the function " + known.signature()
	}
	return refuseRPC(http.StatusNotFound, rpcNoFunction, "Could not find the function "+called+" in the schema cache").
		explain("Searched for the function "+called+", but no matches were found in the schema cache.", hint)
}
