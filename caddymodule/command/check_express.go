package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/listener"
	"github.com/hookgate/hookgate/store"
)

// checkExpress tells for each server whether the express lane is on, and what keeps it away:
// the same as the server says in the log when it starts. Of a configuration that does not load
// it cannot be told.
func checkExpress(l *loaded, configured map[string]*caddyhttp.Server) (findings []store.Finding) {
	if l == nil {
		return nil
	}
	found := func(detail string) store.Finding {
		return store.Finding{Check: "express lane", Severity: store.SeverityOK, Detail: detail}
	}
	for _, name := range slices.Sorted(maps.Keys(configured)) {
		server := l.servers.Servers[name]
		listen := strings.Join(server.Listen, " ")
		wrappers, err := listener.Wrappers(configured[name])
		if err != nil {
			return []store.Finding{found("it cannot be told: " + err.Error())}
		}
		if _, why := listener.Express(l.ctx, l.instance, l.servers, server, wrappers); why != "" {
			findings = append(findings, found(fmt.Sprintf("off on %s: %s", listen, why)))
		} else {
			findings = append(findings, found(fmt.Sprintf("on %s plain requests take it", listen)))
		}
	}
	return findings
}
