package admin

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxBody is the largest request body, in bytes.
	maxBody = 64 << 10
	// bodyTimeout is how long a body may take to arrive.
	bodyTimeout = 5 * time.Second
)

// readBody reads the whole request body before huma does, which would answer a
// connection that breaks in the middle of a body with a 500.
func readBody(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	x := exchangeOf(ctx.Context())
	body, refusal := drain(w, r)
	if refusal == nil {
		if ctx.Operation().RequestBody == nil {
			refusal = checkNoBody(body)
		} else if len(body) > 0 {
			refusal = checkMediaType(r.Header)
		}
	}
	if refusal != nil {
		refusal.write(x)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	next(ctx)
}

func drain(w http.ResponseWriter, r *http.Request) ([]byte, *detail) {
	if r.ContentLength > maxBody {
		return nil, refuse(problemTooLarge)
	}
	connection := http.NewResponseController(w)
	// Not every ResponseWriter has deadlines; the server's own then apply.
	_ = connection.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, refuse(problemSlowBody).with("Connection", "close")
	case err != nil:
		return nil, refuse(problemMalformed).because("The request body ended early.").with("Connection", "close")
	case len(body) > maxBody:
		return nil, refuse(problemTooLarge)
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
		return refuse(problemInvalid).at("body", err.Error())
	}
	return refuse(problemMalformed).because("This operation takes no request body.")
}

// checkMediaType accepts application/json, and no Content-Type at all as Matcher
// does: there is nothing else it could be.
func checkMediaType(header http.Header) *detail {
	switch values := header.Values("Content-Type"); len(values) {
	case 0:
	case 1:
		if mediaType, _, err := mime.ParseMediaType(values[0]); err != nil || mediaType != "application/json" {
			return refuse(problemMediaType)
		}
	default:
		return refuse(problemMediaType)
	}
	header.Set("Content-Type", "application/json") // huma reads it more narrowly than the RFC
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
		return errors.New("duplicate property " + quoteName(syntax.JSONPointer))
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		return unknownName{quoteName(semantic.JSONPointer)}
	case errors.As(err, &syntax):
		return errors.New("not a JSON document, see byte " + strconv.FormatInt(syntax.ByteOffset, 10))
	}
	return errors.New("a value has the wrong type or is out of range")
}

func quoteName(p jsontext.Pointer) string { return strconv.Quote(clip(p.LastToken())) }

var errUnknownName = errors.New("unexpected property")

type unknownName struct{ quoted string }

func (e unknownName) Error() string {
	return "unexpected property " + e.quoted + "; names are case-sensitive"
}
func (e unknownName) Is(target error) bool { return target == errUnknownName }
