package admin

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
)

// detail is a problem document (RFC 9457) in the shape Matcher's has; the name is
// that of its schema. ErrorDetail.Value is never set: it would echo what the client
// sent, and that may be a secret in the wrong place.
type detail struct {
	Type     string              `json:"type,omitempty" format:"uri" default:"about:blank"`
	Title    string              `json:"title,omitempty"`
	Status   int                 `json:"status,omitempty"`
	Detail   string              `json:"detail,omitempty"`
	Instance string              `json:"instance,omitempty" format:"uri"`
	Code     string              `json:"code,omitempty"`
	Errors   []*huma.ErrorDetail `json:"errors,omitempty"`

	header http.Header
}

// refuse returns the problem document of an entry of the table.
func refuse(p problem.Problem) *detail {
	return &detail{Type: "about:blank", Title: p.Title, Status: p.Status, Detail: p.Meaning, Code: p.Code}
}

// because replaces the detail. The text must be fixed: nothing of the request, of
// the configuration or of an error from below.
func (d *detail) because(text string) *detail {
	d.Detail = text
	return d
}

// at adds where the problem lies.
func (d *detail) at(location, message string) *detail {
	d.Errors = append(d.Errors, &huma.ErrorDetail{Location: location, Message: message})
	return d
}

// with sets a response header.
func (d *detail) with(name, value string) *detail {
	if d.header == nil {
		d.header = http.Header{}
	}
	d.header.Set(name, value)
	return d
}

// The interfaces by which huma writes a handler's error.
var (
	_ huma.StatusError       = (*detail)(nil)
	_ huma.HeadersError      = (*detail)(nil)
	_ huma.ContentTypeFilter = (*detail)(nil)
)

func (d *detail) Error() string             { return d.Code + ": " + d.Detail }
func (d *detail) GetStatus() int            { return d.Status }
func (d *detail) GetHeaders() http.Header   { return d.header }
func (d *detail) ContentType(string) string { return problem.ContentType }

// write sends the problem as the whole answer.
func (d *detail) write(x *exchange) {
	d.Instance, x.code = x.instance(), d.Code
	for name, values := range d.header {
		x.Header()[name] = values
	}
	x.Header().Set("Content-Type", problem.ContentType)
	x.WriteHeader(d.Status)
	if err := json.NewEncoder(x).Encode(d); err != nil {
		x.log.Debug("the client did not take the answer", slog.String("request_id", x.id.String()))
	}
}

// finishProblem is the last step before huma sends anything: problems get their
// instance, and what huma itself refused becomes a problem with a code.
func finishProblem(ctx huma.Context, _ string, v any) (any, error) {
	var d *detail
	switch v := v.(type) {
	case *detail:
		d = v
	case *huma.ErrorModel:
		d = fromFramework(v, ctx.Operation().OperationID)
	default:
		return v, nil
	}
	x := exchangeOf(ctx.Context())
	d.Instance, x.code = x.instance(), d.Code
	return d, nil
}

var frameworkProblems = map[int]problem.Problem{
	http.StatusBadRequest:            problem.Malformed,
	http.StatusRequestTimeout:        problem.SlowBody,
	http.StatusRequestEntityTooLarge: problem.RequestTooLarge,
	http.StatusUnsupportedMediaType:  problem.MediaType,
	http.StatusUnprocessableEntity:   problem.Invalid,
}

// Limits of what a problem document repeats of a request: names of properties are
// the client's, and as long and as many as the body allows.
const (
	maxErrors   = 20
	maxLocation = 100
)

// unnamed are the operations whose body is a secret and little else.
var unnamed = []string{"replaceSigningSecret", "verifyToken"}

// withoutSecret takes the name of a property that is in no schema out of an error, where it
// may be a secret in the wrong place: beside the secrets of a verify, and in the body of an
// operation that takes one.
func withoutSecret(location, message, operation string) (at, says string) {
	if message == validation.MsgUnexpectedProperty {
		if slices.Contains(unnamed, operation) {
			location = "body"
		} else if object, _, beside := strings.Cut(location, ".verify."); beside {
			location = object + ".verify"
		}
	}
	if slices.Contains(unnamed, operation) && strings.HasPrefix(message, duplicate) {
		message = duplicate
	}
	return location, message
}

func fromFramework(m *huma.ErrorModel, operation string) *detail {
	p, ok := frameworkProblems[m.Status]
	if !ok {
		// Its text is about our internals.
		return refuse(problem.OperationFailed)
	}
	d := refuse(p)
	for _, e := range m.Errors {
		if e != nil {
			location, message := withoutSecret(e.Location, e.Message, operation)
			d.at(clip(location), message)
		}
	}
	slices.SortStableFunc(d.Errors, func(a, b *huma.ErrorDetail) int { return strings.Compare(a.Location, b.Location) })
	d.Errors = d.Errors[:min(len(d.Errors), maxErrors)]
	return d
}

// clip shortens a text that the client chose, without cutting a character in two. Tokens in
// it are masked.
func clip(text string) string {
	text = credential.WithoutTokens(text)
	if utf8.RuneCountInString(text) <= maxLocation {
		return text
	}
	return string([]rune(text)[:maxLocation]) + "…"
}
