package command

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/handlers"
	"github.com/hookgate/hookgate/store"
)

// checkPublicURL tells of vendors that sign the URL that they post to, where nothing in the
// configuration says what that is. Each of their requests would be 503.
func checkPublicURL(servers map[string]*caddyhttp.Server) (findings []store.Finding, err error) {
	if handlers.Publishes(servers) {
		return nil, nil
	}
	raw, err := json.Marshal(servers)
	if err != nil {
		return nil, err
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, err
	}
	for _, g := range guardsIn(value) {
		if what := g.SignsURL(); what != "" && g.PublicURL == "" {
			findings = append(findings, store.Finding{
				Check: "public_url", Severity: store.SeverityProblem, Detail: "this does not load: " + strings.TrimPrefix(app.ErrNoPublicURL(what).Error(), "hookgate: "),
			})
		}
	}
	slices.SortFunc(findings, func(a, b store.Finding) int { return strings.Compare(a.Detail, b.Detail) })
	return findings, nil
}

// guardsIn returns the guards in a part of a configuration, wherever they stand.
func guardsIn(value any) (found []*handlers.Guard) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			found = append(found, guardsIn(element)...)
		}
	case map[string]any:
		if v["handler"] == "hookgate" {
			g := new(handlers.Guard)
			if raw, err := json.Marshal(v); err == nil && json.Unmarshal(raw, g) == nil {
				return []*handlers.Guard{g}
			}
		}
		for _, member := range v {
			found = append(found, guardsIn(member)...)
		}
	}
	return found
}
