package handlers

import (
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/proof"
)

// provisionPublicURL tells the policy what vendors post to.
func (g *Guard) provisionPublicURL(ctx caddy.Context) error {
	peers := g.app.Peers()
	g.policy.PublicURL = peers.PublicURL
	if g.PublicURL == "" {
		what := g.SignsURL()
		if what == "" {
			return nil
		}
		if peers.PublicURL() == "" && !willPublish(ctx) {
			return app.ErrNoPublicURL(what)
		}
		peers.NeedsPublicURL(what)
		return nil
	}
	url, err := grammar.Resolve("public_url", g.PublicURL)
	if err != nil {
		return err
	}
	if url, err = admin.ParsePublicURL(url, g.PublicURLInsecure); err != nil {
		return fmt.Errorf("hookgate: public_url: %w", err)
	}
	g.policy.PublicURL = func() string { return url }
	return nil
}

// SignsURL returns which of the guard's vendors signs the URL that it posts to, and how; ""
// for none.
func (g *Guard) SignsURL() string {
	for name, vendor := range g.Vendors {
		if vendor == nil {
			continue
		}
		for _, verify := range vendor.Verify {
			if verify == nil {
				continue
			}
			what, scheme := "vendor "+name, verify.Scheme
			if preset, known := proof.Named(verify.Preset); known {
				what, scheme = what+", verify "+verify.Preset+",", &preset.Scheme
			}
			if scheme == nil {
				continue
			}
			if program, err := proof.Compile(*scheme); err == nil && program.NeedsURL() {
				return what
			}
		}
	}
	return ""
}

// willPublish reports whether an admin API of the configuration, one that is not provisioned
// yet, has a public URL. It is where Caddy keeps what it has still to provision.
func willPublish(ctx caddy.Context) bool {
	for _, module := range ctx.Modules() {
		if servers, ok := module.(*caddyhttp.App); ok {
			for _, server := range servers.Servers {
				if Publishes(routesOf(server)) || Publishes(server.NamedRoutes) || Publishes(server.Errors) {
					return true
				}
			}
			return false
		}
	}
	return true // nobody can tell
}

// Publishes reports whether there is a hookgate_admin with a public URL in a part of a
// configuration.
func Publishes(part any) bool {
	raw, err := json.Marshal(part)
	var value any
	if err != nil || json.Unmarshal(raw, &value) != nil {
		return true // nobody can tell
	}
	return publishes(value)
}

func publishes(value any) bool {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			if publishes(element) {
				return true
			}
		}
	case map[string]any:
		if url, _ := v["public_url"].(string); v["handler"] == "hookgate_admin" && url != "" {
			return true
		}
		for _, member := range v {
			if publishes(member) {
				return true
			}
		}
	}
	return false
}
