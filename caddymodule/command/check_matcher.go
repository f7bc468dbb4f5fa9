package command

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/store"
)

// checkMatcher tells which guards name no version of Matcher. One that takes callbacks
// then sends what no version of it accepts, unless its other words make up for that.
func checkMatcher(servers map[string]*caddyhttp.Server) (findings []store.Finding, err error) {
	for _, server := range servers {
		listen := strings.Join(server.Listen, " ")
		err := eachGuard(server.Routes, func(g guardWords) {
			switch {
			case g.Matcher.Version != "":
			case len(g.Callback) > 0 || len(g.Webhook)+len(g.API) == 0: // its default, otherwise
				findings = append(findings, store.Finding{Check: "matcher", Severity: store.SeverityWarning, Detail: fmt.Sprintf("on %s a guard takes callbacks and names no version of Matcher: write matcher 2 or matcher 4", listen)})
			default:
				findings = append(findings, store.Finding{Check: "matcher", Severity: store.SeverityOK, Detail: fmt.Sprintf("on %s a guard without callbacks names no version of Matcher", listen)})
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return findings, nil
}

// guardWords are the words of a guard that tell what it is for.
type guardWords struct {
	Callback []string
	Webhook  []string
	API      []any
	Matcher  struct{ Version string }
}

func eachGuard(routes caddyhttp.RouteList, f func(guardWords)) error {
	return eachHandler(routes, func(raw json.RawMessage, h handlerWords) error {
		if h.Handler != "hookgate" {
			return nil
		}
		var guard guardWords
		if err := json.Unmarshal(raw, &guard); err != nil {
			return err
		}
		f(guard)
		return nil
	})
}

// handlerWords are what every handler's configuration tells of it.
type handlerWords struct {
	Handler string
	Routes  caddyhttp.RouteList // of a subroute
}

// eachHandler calls f for every handler in routes, those of subroutes too.
func eachHandler(routes caddyhttp.RouteList, f func(json.RawMessage, handlerWords) error) error {
	for _, route := range routes {
		for _, raw := range route.HandlersRaw {
			var handler handlerWords
			if err := json.Unmarshal(raw, &handler); err != nil {
				return err
			}
			if handler.Handler == "subroute" {
				if err := eachHandler(handler.Routes, f); err != nil {
					return err
				}
				continue
			}
			if err := f(raw, handler); err != nil {
				return err
			}
		}
	}
	return nil
}
