package command

import (
	"encoding/json"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// serversOf returns the servers of a Caddyfile, not provisioned, as check sees them.
func serversOf(t *testing.T, caddyfile string) map[string]*caddyhttp.Server {
	t.Helper()
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), nil)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Apps struct{ HTTP caddyhttp.App }
	}
	if err := json.Unmarshal(adapted, &config); err != nil {
		t.Fatal(err)
	}
	return config.Apps.HTTP.Servers
}
