package command

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/listener"
	"github.com/hookgate/hookgate/store"
)

// checkExpress tells for each server whether the express lane is on, and what keeps it away:
// the same as the server says in the log when it starts. The configuration is set up for
// that, and nothing of it is started.
func checkExpress(config *caddy.Config, configured map[string]*caddyhttp.Server) (findings []store.Finding) {
	if len(configured) == 0 {
		return nil
	}
	found := func(detail string) store.Finding {
		return store.Finding{Check: "express lane", Severity: store.SeverityOK, Detail: detail}
	}
	ctx, instance, servers, err := setUp(config)
	if err != nil {
		return []store.Finding{found("it cannot be told here, where the configuration does not load: " + err.Error())}
	}
	for _, name := range slices.Sorted(maps.Keys(configured)) {
		server := servers.Servers[name]
		listen := strings.Join(server.Listen, " ")
		wrappers, err := listener.Wrappers(configured[name])
		if err != nil {
			return []store.Finding{found("it cannot be told: " + err.Error())}
		}
		if _, why := listener.Express(ctx, instance, servers, server, wrappers); why != "" {
			findings = append(findings, found(fmt.Sprintf("off on %s: %s", listen, why)))
		} else {
			findings = append(findings, found(fmt.Sprintf("on %s plain requests take it", listen)))
		}
	}
	return findings
}

// quiet is a log without what is said of a configuration that loads, through the encoder that
// every configuration has to have.
var quiet = []byte(`{"logs": {"default": {"level": "ERROR", "encoder": {"format": "hookgate"}}}}`)

// setUp sets a configuration up, and starts nothing.
func setUp(config *caddy.Config) (ctx caddy.Context, instance *app.App, servers *caddyhttp.App, err error) {
	silent := *config
	silent.Admin, silent.Logging = &caddy.AdminConfig{Disabled: true}, new(caddy.Logging)
	if err := json.Unmarshal(quiet, silent.Logging); err != nil {
		return ctx, nil, nil, err
	}
	silent.AppsRaw = maps.Clone(config.AppsRaw) // Caddy takes out of it what it has set up
	if ctx, err = caddy.ProvisionContext(&silent); err != nil {
		return ctx, nil, nil, err
	}
	if instance, err = app.Configured(ctx); err != nil {
		return ctx, nil, nil, err
	}
	http, err := ctx.App("http")
	if err != nil {
		return ctx, nil, nil, err
	}
	return ctx, instance, http.(*caddyhttp.App), nil
}
