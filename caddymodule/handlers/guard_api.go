package handlers

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/guard"
)

// APIPath is a path that api credentials open.
type APIPath struct {
	// The path. As its last segment, * stands for any rest of it.
	Path string `json:"path,omitempty"`

	// What a credential must be allowed to do, all of it. With none given any api
	// credential of any tenant will do.
	Scopes []string `json:"scopes,omitempty"`
}

// addAPI compiles the paths for api credentials. The first path that matches a
// request decides on it, so one that stands behind a wider one would be dead, and its
// scopes with it: such a configuration does not load.
func (g *Guard) addAPI() error {
	if len(g.API) > 0 && g.TokenHeader == "Authorization" {
		return errors.New("hookgate: on api paths Authorization holds the credential, so token_header cannot be that")
	}
	for _, path := range g.API {
		route, err := guard.APIRoute(path.Path, path.Scopes...)
		if err != nil {
			return fmt.Errorf("hookgate: api %s: %w", path.Path, err)
		}
		for i := range g.policy.Routes {
			if before := &g.policy.Routes[i]; before.Covers(&route) {
				return fmt.Errorf("hookgate: api %s: it is never reached, since %s comes before it; write the narrower path first", path.Path, before.Template())
			}
		}
		g.policy.Routes = append(g.policy.Routes, route)
	}
	return nil
}

// parseAPI parses `api <path> [<scope>...]`.
func (g *Guard) parseAPI(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return grammar.ArgErr(d, "api")
	}
	path := APIPath{Path: args[0]}
	if len(args) > 1 {
		path.Scopes = args[1:]
	}
	g.API = append(g.API, path)
	return nil
}
