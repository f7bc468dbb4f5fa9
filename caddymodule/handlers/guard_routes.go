package handlers

import (
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/guard"
)

// addRoutes compiles the configured paths and where their requests go.
func (g *Guard) addRoutes() error {
	for path := range g.Upstreams {
		if !slices.Contains(g.Callback, path) && !slices.Contains(g.Webhook, path) {
			return fmt.Errorf("hookgate: there is an upstream path for %s, and no such route", path)
		}
	}
	add := func(word string, paths []string, compile func(string) (guard.Route, error)) error {
		for _, path := range paths {
			route, err := compile(path)
			if err != nil {
				return fmt.Errorf("hookgate: %s %s: %w", word, path, err)
			}
			if template, ok := g.Upstreams[path]; ok {
				if route, err = route.To(template, g.ForwardToken); err != nil {
					return fmt.Errorf("hookgate: %s %s -> %s: %w", word, path, template, err)
				}
			}
			g.policy.Routes = append(g.policy.Routes, route)
		}
		return nil
	}
	if err := add("callback", g.Callback, guard.CallbackRoute); err != nil {
		return err
	}
	if err := add("webhook", g.Webhook, guard.WebhookRoute); err != nil {
		return err
	}
	return g.addAPI()
}

// parseRoute parses the arguments of `callback` and `webhook`: a path, and behind an
// arrow the path towards the upstream.
func (g *Guard) parseRoute(d *caddyfile.Dispenser, paths *[]string) error {
	word, args := d.Val(), d.RemainingArgs()
	switch {
	case len(args) == 1 && args[0] != "":
	case len(args) == 3 && args[0] != "" && args[1] == "->" && args[2] != "":
		if g.Upstreams == nil {
			g.Upstreams = make(map[string]string)
		}
		if _, given := g.Upstreams[args[0]]; given {
			return d.Errf("%s %s is given twice", word, args[0])
		}
		g.Upstreams[args[0]] = args[2]
	default:
		return grammar.ArgErr(d, word)
	}
	*paths = append(*paths, args[0])
	return nil
}
