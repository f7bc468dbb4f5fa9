package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/hookgate/hookgate/admin/bearer"
)

// rpcFunction is a function that is called as PostgREST calls those of PostgreSQL:
// POST /rpc/<name> with a JSON object whose names are those of the arguments.
type rpcFunction struct {
	name        string
	operation   string
	summary     string
	description string
	needs       bearer.Right
	refusals    []*rpcError // what it may answer beyond what all do
	arguments   reflect.Type
	call        func(ctx context.Context, who bearer.Operator, body []byte) error
}

// rpcPrefixes are where the functions are: Supabase has PostgREST under /rest/v1.
var rpcPrefixes = []string{"/rest/v1/rpc/", "/rpc/"}

// newRPC describes a function by the type of its arguments: those without omitempty
// are required.
func newRPC[A any](f rpcFunction, call func(context.Context, bearer.Operator, *A) error) *rpcFunction {
	f.arguments = reflect.TypeFor[A]()
	f.call = func(ctx context.Context, who bearer.Operator, body []byte) error {
		arguments := new(A)
		if err := json.Unmarshal(body, arguments); err != nil {
			return wrongType(err)
		}
		return call(ctx, who, arguments)
	}
	return &f
}

func wrongType(err error) *rpcError {
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		name, _, _ := strings.Cut(strings.TrimPrefix(string(semantic.JSONPointer), "/"), "/")
		return invalidInput(name + " has the wrong type") // a name of ours: the others have been refused
	}
	return invalidInput("an argument has the wrong type")
}

// names returns the names of the arguments, and of the required ones.
func (f *rpcFunction) names() (all, required []string) {
	for i := range f.arguments.NumField() {
		name, options, _ := strings.Cut(f.arguments.Field(i).Tag.Get("json"), ",")
		all = append(all, name)
		if options == "" {
			required = append(required, name)
		}
	}
	return all, required
}

func (f *rpcFunction) signature() string {
	all, _ := f.names()
	return "public." + f.name + "(" + strings.Join(all, ", ") + ")"
}

// fits reports whether the arguments of a call are those of the function.
func (f *rpcFunction) fits(given []string) bool {
	all, required := f.names()
	has := func(name string) bool { return slices.Contains(given, name) }
	known := func(name string) bool { return slices.Contains(all, name) }
	return !slices.ContainsFunc(given, func(name string) bool { return !known(name) }) &&
		!slices.ContainsFunc(required, func(name string) bool { return !has(name) })
}

func (a *admin) serveRPC(mux *http.ServeMux, functions []*rpcFunction) {
	for _, prefix := range rpcPrefixes {
		mux.HandleFunc(prefix+"{function}", func(_ http.ResponseWriter, r *http.Request) {
			x := exchangeOf(r.Context())
			x.rpc = true
			if err := a.callRPC(x, r, functions); err != nil {
				a.rpcErrorOf(r.Context(), err).write(x)
				return
			}
			x.Header().Set("Content-Type", rpcContentType)
			if _, err := x.Write([]byte(`{"ok": true}`)); err != nil {
				x.log.Debug("the client did not take the answer", slog.String("request_id", x.id.String()))
			}
		})
	}
	a.documentRPC(functions)
}

func (a *admin) callRPC(x *exchange, r *http.Request, functions []*rpcFunction) error {
	name := r.PathValue("function")
	i := slices.IndexFunc(functions, func(f *rpcFunction) bool { return f.name == name })
	if i >= 0 {
		x.operation = functions[i].operation
	}
	if r.Method != http.MethodPost {
		refusal := refuseRPC(http.StatusMethodNotAllowed, rpcMethod, "Only the POST method is allowed here")
		refusal.header.Set("Allow", http.MethodPost)
		return refusal
	}
	who, unproved := a.operator(r)
	if unproved != nil {
		return refuseBearerRPC(unproved)
	}
	x.operator = who
	if i < 0 {
		return noFunction(name, nil, nil)
	}
	function := functions[i]
	if refusal := a.admit(who, function.needs); refusal != nil {
		a.refused(r.Context(), who, x.operation, asRPC(refusal).Code)
		return refusal
	}
	if err := checkRPCMediaType(r.Header); err != nil {
		return err
	}
	body, refusal := drain(x, r, maxBody)
	if refusal != nil {
		return refusal
	}
	var given map[string]jsontext.Value
	if err := unmarshalStrict(body, &given); err != nil || given == nil {
		invalid := refuseRPC(http.StatusBadRequest, rpcBody, "Empty or invalid json")
		if err != nil {
			invalid.explain(err.Error(), "")
		}
		return invalid
	}
	names := make([]string, 0, len(given))
	for name := range given {
		names = append(names, name)
	}
	slices.Sort(names)
	if !function.fits(names) {
		return noFunction(name, names, function)
	}
	return function.call(withOrigin(r.Context(), ""), who, body)
}

// rpcErrorOf returns what a caller may know of an error.
func (a *admin) rpcErrorOf(ctx context.Context, err error) *rpcError {
	var refusal *rpcError
	if errors.As(err, &refusal) {
		return refusal
	}
	return asRPC(a.problemOf(ctx, err))
}
