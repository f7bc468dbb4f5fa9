package command

import (
	"encoding/json"
	"maps"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/store"
)

// checkLoad tells whether the configuration loads here: a server with it would not start,
// whatever else is well. It returns the configuration as it is set up, nil where it is not.
func checkLoad(config *caddy.Config) (*loaded, store.Finding) {
	found := store.Finding{Check: "configuration", Severity: store.SeverityOK, Detail: "it loads here"}
	l, err := setUp(config)
	if err != nil {
		found.Severity, found.Detail = store.SeverityProblem, "it does not load here: "+err.Error()
	}
	return l, found
}

// loaded is a configuration that is set up.
type loaded struct {
	ctx      caddy.Context
	instance *app.App
	servers  *caddyhttp.App
}

// quiet is a log without what is said of a configuration that loads, through the encoder that
// every configuration has to have.
var quiet = []byte(`{"logs": {"default": {"level": "ERROR", "encoder": {"format": "hookgate"}}}}`)

// setUp sets a configuration up, and starts nothing. The logs of the configuration are left
// out: they would make files.
func setUp(config *caddy.Config) (*loaded, error) {
	silent := *config
	silent.Admin, silent.Logging = &caddy.AdminConfig{Disabled: true}, new(caddy.Logging)
	if err := json.Unmarshal(quiet, silent.Logging); err != nil {
		return nil, err
	}
	silent.AppsRaw = maps.Clone(config.AppsRaw) // Caddy takes out of it what it has set up
	ctx, err := caddy.ProvisionContext(&silent)
	if err != nil {
		return nil, err
	}
	instance, err := app.Configured(ctx)
	if err != nil {
		return nil, err
	}
	http, err := ctx.App("http")
	if err != nil {
		return nil, err
	}
	return &loaded{ctx, instance, http.(*caddyhttp.App)}, nil
}
