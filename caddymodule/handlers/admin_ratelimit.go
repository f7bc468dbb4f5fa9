package handlers

import (
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/caddymodule/grammar"
)

// RateLimit says how often one operator, the sub of a tenant's bearer tokens, may
// ask this process.
type RateLimit struct {
	// No limit.
	Off bool `json:"off,omitempty"`

	// How many requests a second are allowed for as long as it may be. Default: 100.
	PerSecond int `json:"per_second,omitempty"`

	// How many are allowed at once. Default: twice as many.
	Burst int `json:"burst,omitempty"`
}

func parseRateLimit(d *caddyfile.Dispenser) (*RateLimit, error) {
	args := d.RemainingArgs()
	if len(args) == 1 && args[0] == "off" {
		return &RateLimit{Off: true}, nil
	}
	if len(args) != 1 && len(args) != 2 {
		return nil, grammar.ArgErr(d, "rate_limit")
	}
	config := new(RateLimit)
	for i, to := range []*int{&config.PerSecond, &config.Burst}[:len(args)] {
		n, err := strconv.Atoi(args[i])
		if err != nil || n < 1 {
			return nil, d.Errf("rate_limit takes whole numbers from 1, or off; not %q", args[i])
		}
		*to = n
	}
	return config, nil
}
