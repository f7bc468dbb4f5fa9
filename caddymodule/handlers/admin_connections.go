package handlers

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/caddymodule/grammar"
)

const (
	defaultConnectionsTimeout = caddy.Duration(3 * time.Second)
	minConnectionsTimeout     = caddy.Duration(100 * time.Millisecond)
	maxConnectionsTimeout     = caddy.Duration(30 * time.Second)
)

// Connections says which aggregator connections exist: any, those listed, or those
// that Matcher has.
type Connections struct {
	Any    bool     `json:"any,omitempty"`
	Static []string `json:"static,omitempty"`

	// The URL of Matcher, which is asked with the operator's own bearer token. Without
	// TLS the token goes over the network as it is.
	Matcher string `json:"matcher,omitempty"`

	// A PEM file with the authorities to trust for https:// instead of the system's.
	TLSCA string `json:"tls_ca,omitempty"`

	// How long Matcher may take. Default: 3s.
	Timeout caddy.Duration `json:"timeout,omitempty"`
}

// provision returns the connections, nil where none are configured.
func (c *Connections) provision() (connections.Source, error) {
	if c == nil {
		return nil, nil
	}
	given := 0
	for _, is := range []bool{c.Any, len(c.Static) > 0, c.Matcher != ""} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, errors.New("hookgate_admin: connections takes any, a list or matcher")
	case c.Timeout != 0 && c.Matcher == "":
		return nil, errors.New("hookgate_admin: connections: only matcher takes a timeout")
	case c.TLSCA != "" && c.Matcher == "":
		return nil, errors.New("hookgate_admin: connections: only matcher takes tls_ca")
	case c.Any:
		return connections.Any{}, nil
	case c.Matcher == "":
		return connections.Static(c.Static), nil
	}
	if c.Timeout == 0 {
		c.Timeout = defaultConnectionsTimeout
	}
	if err := grammar.Within("connections matcher", c.Timeout, minConnectionsTimeout, maxConnectionsTimeout); err != nil {
		return nil, err
	}
	url, err := grammar.Resolve("connections matcher", c.Matcher)
	if err != nil {
		return nil, err
	}
	scheme, _, _ := strings.Cut(url, "://")
	roots, err := rootsOf(c.TLSCA, strings.ToLower(scheme))
	if err != nil {
		return nil, fmt.Errorf("hookgate_admin: connections: %w", err)
	}
	matcher, err := connections.NewMatcher(url, time.Duration(c.Timeout), roots)
	if err != nil {
		return nil, fmt.Errorf("hookgate_admin: connections: %w", err)
	}
	return matcher, nil
}

// parseConnections parses `connections any`, `connections static <name>...` and
// `connections matcher <url> [<timeout>]`, which may have a block with
// `tls_ca <path>`.
func parseConnections(d *caddyfile.Dispenser) (*Connections, error) {
	c, err := parseConnectionsArgs(d)
	if err != nil {
		return nil, err
	}
	return c, c.Words().Parse(d, "connections")
}

// Words are those of the block.
func (c *Connections) Words() grammar.Words {
	return grammar.Words{"tls_ca": grammar.Into(&c.TLSCA, grammar.OneArg)}
}

func parseConnectionsArgs(d *caddyfile.Dispenser) (*Connections, error) {
	args := d.RemainingArgs()
	switch {
	case len(args) == 1 && args[0] == "any":
		return &Connections{Any: true}, nil
	case len(args) >= 2 && args[0] == "static":
		return &Connections{Static: args[1:]}, nil
	case len(args) == 2 && args[0] == "matcher" && args[1] != "":
		return &Connections{Matcher: args[1]}, nil
	case len(args) == 3 && args[0] == "matcher" && args[1] != "":
		timeout, err := grammar.ParseDuration(d, args[2])
		return &Connections{Matcher: args[1], Timeout: timeout}, err
	}
	return nil, grammar.ArgErr(d, "connections")
}
