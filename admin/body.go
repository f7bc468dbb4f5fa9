package admin

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/hookgate/hookgate/problem"
)

const (
	// maxBody is the largest request body, in bytes; importBody that of an import.
	maxBody    = 64 << 10
	importBody = 1 << 20
	// bodyTimeout is how long a body may take to arrive.
	bodyTimeout = 5 * time.Second
)

// readBody reads the whole request body before huma does, which would answer a
// connection that breaks in the middle of a body with a 500.
func readBody(limit int64) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		x := exchangeOf(ctx.Context())
		body, refusal := drain(w, r, limit)
		if refusal == nil {
			if ctx.Operation().RequestBody == nil {
				refusal = checkNoBody(body)
			} else if len(body) > 0 {
				refusal = checkMediaType(r)
			}
		}
		if refusal != nil {
			refusal.write(x)
			return
		}
		x.body = body
		r.Body = io.NopCloser(bytes.NewReader(body))
		next(ctx)
	}
}

func drain(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *detail) {
	if r.ContentLength > limit {
		return nil, refuse(problem.RequestTooLarge)
	}
	connection := http.NewResponseController(w)
	// Not every ResponseWriter has deadlines; the server's own then apply.
	_ = connection.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, refuse(problem.SlowBody).with("Connection", "close")
	case err != nil:
		return nil, refuse(problem.Malformed).because("The request body ended early.").with("Connection", "close")
	case int64(len(body)) > limit:
		return nil, refuse(problem.RequestTooLarge)
	}
	_ = connection.SetReadDeadline(time.Time{})
	return body, nil
}

// checkNoBody refuses a body where the operation has none, so that nobody believes
// an option to be in force that was not even read. An empty JSON object asks for
// nothing and passes: many HTTP clients send one with every POST.
func checkNoBody(body []byte) *detail {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	err := unmarshalStrict(body, &struct{}{})
	switch {
	case err == nil && !bytes.Equal(bytes.TrimSpace(body), []byte("null")):
		return nil
	case errors.Is(err, errUnknownName):
		return refuse(problem.Invalid).at("body", err.Error())
	}
	return refuse(problem.Malformed).because("This operation takes no request body.")
}

const mergePatch = "application/merge-patch+json"

// checkMediaType accepts application/json, and no Content-Type at all as Matcher
// does: there is nothing else it could be. A PATCH may also say what it is, RFC 7396.
func checkMediaType(r *http.Request) *detail {
	switch values := r.Header.Values("Content-Type"); len(values) {
	case 0:
	case 1:
		mediaType, _, err := mime.ParseMediaType(values[0])
		if err != nil || mediaType != "application/json" && (mediaType != mergePatch || r.Method != http.MethodPatch) {
			return refuse(problem.MediaType)
		}
	default:
		return refuse(problem.MediaType)
	}
	r.Header.Set("Content-Type", "application/json") // huma reads it more narrowly than the RFC
	return nil
}

// unmarshalStrict decodes one JSON document. Unlike encoding/json it refuses
// duplicate and wrongly cased names and invalid UTF-8: where two readers of a
// document disagree about what it says, somebody is being deceived.
func unmarshalStrict(data []byte, v any) error {
	err := json.Unmarshal(data, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax):
		return errors.New(duplicate + quoteName(syntax.JSONPointer))
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		return unknownName{quoteName(semantic.JSONPointer)}
	case errors.As(err, &syntax):
		return errors.New("not a JSON document, see byte " + strconv.FormatInt(syntax.ByteOffset, 10))
	}
	return errors.New("a value has the wrong type or is out of range")
}

const duplicate = "duplicate property"

// quoteName quotes the name of a property, but for one in a verify: it may be a secret.
func quoteName(p jsontext.Pointer) string {
	if strings.Contains(strings.ToLower(string(p)), "/verify/") {
		return " in verify"
	}
	return " " + strconv.Quote(clip(p.LastToken()))
}

var errUnknownName = errors.New("unexpected property")

type unknownName struct{ quoted string }

func (e unknownName) Error() string {
	return "unexpected property" + e.quoted + "; names are case-sensitive"
}
func (e unknownName) Is(target error) bool { return target == errUnknownName }
