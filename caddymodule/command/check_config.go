package command

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/encoder"
	"github.com/hookgate/hookgate/caddymodule/listener"
	"github.com/hookgate/hookgate/store"
)

// checkLoggers finds the loggers of a configuration that print requests as they came
// in, and so tokens.
func checkLoggers(config *caddy.Config) (findings []store.Finding) {
	for _, name := range encoder.UnsafeLoggers(config) {
		findings = append(findings, store.Finding{
			Check: "loggers", Severity: store.SeverityProblem, Detail: fmt.Sprintf("%q does not print through format hookgate: tokens can get into its output", name),
		})
	}
	if findings == nil {
		findings = []store.Finding{{Check: "loggers", Severity: store.SeverityOK, Detail: "all print through format hookgate"}}
	}
	return findings
}

// checkAdmin: whoever reaches Caddy's admin endpoint replaces the configuration, and
// with it the guard.
func checkAdmin(config *caddy.Config) store.Finding {
	if config.Admin != nil && config.Admin.Disabled {
		return store.Finding{Check: "admin", Severity: store.SeverityOK, Detail: "Caddy's admin endpoint is off"}
	}
	return store.Finding{Check: "admin", Severity: store.SeverityWarning, Detail: "Caddy's admin endpoint is on: any process on this machine can replace the configuration; write admin off"}
}

// checkPersistence: what Caddy writes to disk is read by nobody, and outlives a rotation
// of what is in it.
func checkPersistence(config *caddy.Config) store.Finding {
	if a := config.Admin; a != nil && a.Config != nil && a.Config.Persist != nil && !*a.Config.Persist {
		return store.Finding{Check: "persistence of the configuration", Severity: store.SeverityOK, Detail: "off"}
	}
	return store.Finding{Check: "persistence of the configuration", Severity: store.SeverityWarning, Detail: "each configuration is copied to disk; write persist_config off"}
}

// configuredServers returns the servers of a configuration as they are written.
func configuredServers(config *caddy.Config) (*caddyhttp.App, error) {
	servers := new(caddyhttp.App)
	if raw, ok := config.AppsRaw["http"]; ok {
		if err := json.Unmarshal(raw, servers); err != nil {
			return nil, err
		}
	}
	return servers, nil
}

// checkServers looks for what loses requests at a reload or holds a restart, and for
// requests that come to nobody. l is nil where the configuration does not load.
func checkServers(ctx context.Context, config *caddy.Config, l *loaded) ([]store.Finding, error) {
	servers, err := configuredServers(config)
	if err != nil {
		return nil, err
	}
	reload := store.Finding{Check: "reload", Severity: store.SeverityOK, Detail: "loses no request"}
	for _, server := range servers.Servers {
		names, err := listener.Wrappers(server)
		if err != nil {
			return nil, err
		}
		between := listener.Between(names)
		switch order := listener.CheckOrder(names); {
		case order != nil:
			reload.Severity, reload.Detail = store.SeverityProblem, "this does not load: "+strings.TrimPrefix(order.Error(), "hookgate: ")
		case reload.Severity == store.SeverityProblem:
		case !slices.Contains(names, listener.WrapperName):
			reload.Severity, reload.Detail = store.SeverityWarning, "loses requests: write hookgate, before tls, in listener_wrappers"
		case len(between) > 0:
			reload.Severity, reload.Detail = store.SeverityWarning, "closes idle connections, on which clients may be sending: hookgate cannot pass them on through "+strings.Join(between, ", ")
		}
	}
	stop := store.Finding{Check: "stop", Severity: store.SeverityOK, Detail: fmt.Sprintf("takes %v, and %v for requests under way", time.Duration(servers.ShutdownDelay), time.Duration(servers.GracePeriod))}
	if servers.GracePeriod == 0 {
		stop.Severity, stop.Detail = store.SeverityWarning, "waits for the slowest request without a limit: write grace_period"
	}
	versions, err := checkMatcher(servers.Servers)
	if err != nil {
		return nil, err
	}
	mirrors, err := checkMirrors(ctx, servers.Servers)
	if err != nil {
		return nil, err
	}
	sites, err := checkSites(servers.Servers)
	if err != nil {
		return nil, err
	}
	urls, err := checkPublicURL(servers.Servers)
	if err != nil {
		return nil, err
	}
	live, err := checkLive(ctx, servers.Servers, net.DefaultResolver.LookupHost)
	return slices.Concat([]store.Finding{reload, stop}, checkExpress(l, servers.Servers), versions, mirrors, sites, urls, live), err
}
