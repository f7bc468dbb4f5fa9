package admin

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookgate/hookgate/admin/docs"
	"github.com/hookgate/hookgate/problem"
)

const bearerAuth = "BearerAuth"

// humaConfig leaves out what huma adds by default: $schema properties and links, which
// Matcher's documents do not have; a documentation page that loads scripts from
// elsewhere; and handlers for the document, which build it without a lock.
func humaConfig() huma.Config {
	config := huma.DefaultConfig("Hookgate admin API", "1.0.0")
	config.Info.Description = "Mints, lists, rotates and revokes the credentials with which external systems reach Matcher. " +
		"The tenant is always that of the bearer token. Every answer has X-Request-Id; every error is a problem document (RFC 9457) with a stable code."
	registerSchemas(config.Components.Schemas)
	config.CreateHooks = nil
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.RejectUnknownQueryParameters = true // whoever misspells a filter must not take the whole list for its result
	config.Transformers = []huma.Transformer{finishProblem}
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshalStrict}
	config.Formats = map[string]huma.Format{"application/json": format, "json": format} // json: for +json
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearerAuth: {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
	}
	return config
}

// Problems that operations share in the document.
var (
	commonProblems = []problem.Problem{
		problem.Unauthenticated, problem.NoTenant, problem.TenantChoice, problem.CrossSite, problem.Role, problem.Malformed, problem.SlowBody, problem.RequestTooLarge,
		problem.Invalid, problem.TooMany, problem.OperationFailed, problem.NoKeys, problem.StoreUnavailable,
	}
	bodyProblems = []problem.Problem{problem.MediaType}
)

// problemResponses documents the problems an operation can answer with, beside the
// common ones: by status, an example for every code.
func problemResponses(api huma.API, own []problem.Problem) map[string]*huma.Response {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[detail](), true, "")
	responses := map[string]*huma.Response{
		"default": {Description: "Any other error", Content: map[string]*huma.MediaType{problem.ContentType: {Schema: schema}}},
	}
	for _, p := range append(own[:len(own):len(own)], commonProblems...) {
		status := strconv.Itoa(p.Status)
		response := responses[status]
		if response == nil {
			response = &huma.Response{Content: map[string]*huma.MediaType{
				problem.ContentType: {Schema: schema, Examples: map[string]*huma.Example{}},
			}}
			responses[status] = response
		}
		response.Description = strings.TrimSpace(response.Description + "\n" + p.Code + ": " + p.Meaning)
		response.Content[problem.ContentType].Examples[p.Code] = &huma.Example{Summary: p.Meaning, Value: refuse(p)}
		document(response, p.Status)
	}
	return responses
}

func document(response *huma.Response, status int) {
	name := map[int]string{
		http.StatusUnauthorized: "WWW-Authenticate", http.StatusTooManyRequests: "Retry-After", http.StatusServiceUnavailable: "Retry-After",
	}[status]
	if name != "" {
		response.Headers = map[string]*huma.Header{name: {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
}

// serveDocument serves the OpenAPI document as it is once every operation is known,
// for programs and for people. It is written when somebody first asks for it, and
// not whenever a configuration is loaded.
func serveDocument(mux *http.ServeMux, document *huma.OpenAPI, log *slog.Logger) {
	written := sync.OnceValues(func() (*documents, error) { return writeDocuments(document) })
	serve := func(pattern string, handler func(*documents) http.Handler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			d, err := written()
			if err != nil {
				log.Error("the OpenAPI document cannot be written", slog.Any("error", err))
				refuse(problem.OperationFailed).write(exchangeOf(r.Context()))
				return
			}
			handler(d).ServeHTTP(w, r)
		})
	}
	serve("GET /docs", func(d *documents) http.Handler { return d.page })
	serve("GET /openapi.json", func(d *documents) http.Handler { return content{"application/openapi+json", d.json} })
	serve("GET /openapi.yaml", func(d *documents) http.Handler { return content{"application/openapi+yaml", d.yaml} })
}

type documents struct {
	json, yaml []byte
	page       *docs.Page
}

func writeDocuments(document *huma.OpenAPI) (*documents, error) {
	err := docs.Describe(document, docs.Written{
		Fields: fields, Includes: map[string]string{"MintedCredential": "Credential"}, Parameters: parameters, Schemas: examples,
	})
	if err != nil {
		return nil, err
	}
	var d documents
	if d.json, err = json.Marshal(document); err != nil {
		return nil, err
	}
	if d.yaml, err = document.YAML(); err != nil {
		return nil, err
	}
	d.page, err = docs.NewPage(document, docs.Problems{Table: operatorProblems(), Example: exampleProblem()})
	return &d, err
}

// operatorProblems are the codes of this API; the others are the guard's.
func operatorProblems() []problem.Problem {
	return slices.DeleteFunc(problem.All(), func(p problem.Problem) bool { return !strings.HasPrefix(p.Code, "HKG-2") })
}

func exampleProblem() *detail {
	d := refuse(problem.NotFound)
	d.Instance = "urn:uuid:0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"
	return d
}

// content is a body that never changes.
type content struct {
	mediaType string
	text      []byte
}

func (c content) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", c.mediaType)
	w.Write(c.text)
}
