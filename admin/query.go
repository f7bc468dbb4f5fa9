package admin

import (
	"net/url"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/hookgate/hookgate/problem"
)

// plainQuery refuses a query of which a part would be ignored: a parameter given
// twice or empty, or a text that is no query. A filter that is ignored misleads.
func plainQuery(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	query, err := url.ParseQuery(r.URL.RawQuery)
	refusal := refuse(problem.Invalid)
	if err != nil {
		refusal.at("query", "not a query string")
	}
	for name, values := range query {
		if len(values) > 1 || values[0] == "" {
			refusal.at(clip("query."+name), "expected one value")
		}
		if len(refusal.Errors) == maxErrors {
			break
		}
	}
	if len(refusal.Errors) > 0 {
		refusal.write(exchangeOf(ctx.Context()))
		return
	}
	next(ctx)
}
