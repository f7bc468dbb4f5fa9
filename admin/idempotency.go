package admin

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

const (
	idempotencyHeader  = "Idempotency-Key"
	idempotencyPattern = "^[ -~]+$"
	maxIdempotencyKey  = 255
)

var idempotencyKey = regexp.MustCompile(idempotencyPattern)

// idempotency is what makes a repeated request known: the key that the client gave
// it, empty for none, and a digest of what it asks for.
type idempotency struct {
	key         string
	fingerprint [sha256.Size]byte
}

// repeatable lets clients send an operation again when they lost its answer.
func repeatable(op huma.Operation) huma.Operation {
	one, most := 1, maxIdempotencyKey
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: idempotencyHeader, In: "header",
		Description: "Names the request, for 24 hours and within the tenant: sent again with the same key, it changes nothing.",
		Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &one, MaxLength: &most, Pattern: idempotencyPattern},
	})
	op.Middlewares = append(op.Middlewares, readIdempotencyKey)
	return op
}

// repeatProblems are what a repeated request can be refused with on a facade, whose
// answer always has a token.
var repeatProblems = []problem.Problem{problem.KeyReused, problem.Replayed}

func readIdempotencyKey(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	x := exchangeOf(ctx.Context())
	switch values := r.Header.Values(idempotencyHeader); {
	case len(values) == 0:
	case len(values) > 1 || len(values[0]) > maxIdempotencyKey || !idempotencyKey.MatchString(values[0]):
		refuse(problem.Invalid).at("header."+idempotencyHeader, "expected one header of 1 to 255 printable ASCII characters").write(x)
		return
	default:
		x.once = idempotency{key: values[0], fingerprint: fingerprint(r.Method, r.URL.Path, x.body)}
	}
	next(ctx)
}

// fingerprint tells whether two requests ask for the same. Who asks is not in it: a
// client that lost an answer may come back with another bearer token, and a replay
// gives away no secret.
func fingerprint(method, path string, body []byte) [sha256.Size]byte {
	canonical := jsontext.Value(withoutSecrets(bytes.Clone(body)))
	if len(bytes.TrimSpace(body)) == 0 {
		canonical = jsontext.Value("{}") // asks for as much
	}
	// What is no JSON is refused later, as it stands.
	_ = canonical.Canonicalize()
	h := sha256.New()
	for _, part := range [][]byte{[]byte(method), []byte(strings.ToLower(path)), canonical} {
		h.Write(part)
		h.Write([]byte{0})
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// withoutSecrets returns a body with the secrets of a vendor counted in place of written:
// the fingerprint goes to the data set, and whoever reads that could try words until one
// fits.
func withoutSecrets(body []byte) []byte {
	var asked struct {
		Verify *struct {
			Secrets []string `json:"secrets"`
		} `json:"verify"`
	}
	var members map[string]json.RawMessage
	if !bytes.Contains(body, []byte(`"verify"`)) || json.Unmarshal(body, &asked) != nil || asked.Verify == nil || json.Unmarshal(body, &members) != nil {
		return body
	}
	var verify map[string]json.RawMessage
	if json.Unmarshal(members["verify"], &verify) != nil {
		return body // it is refused later
	}
	verify["secrets"] = json.RawMessage(strconv.Itoa(len(asked.Verify.Secrets)))
	inner, err := json.Marshal(verify)
	if err != nil {
		return body
	}
	members["verify"] = inner
	if outer, err := json.Marshal(members); err == nil {
		return outer
	}
	return body
}

// replayed refuses a repeated request where the answer would have to show a token
// that is gone. The id lets the client revoke or rotate what it never got to use.
func replayed(err *store.ReplayError) *detail {
	return refuse(problem.Replayed).at("header."+idempotencyHeader, "made credential "+err.Credential.String())
}
