package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

func init() { httpcaddyfile.RegisterGlobalOption(appName, parseApp) }

func parseApp(d *caddyfile.Dispenser, existing any) (any, error) {
	if existing != nil {
		return nil, d.Err("there is one hookgate block for the process, and it is already given")
	}
	app := new(App)
	if err := app.UnmarshalCaddyfile(d); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: appName, Value: caddyconfig.JSON(app, nil)}, nil
}

// UnmarshalCaddyfile parses the global option:
//
//	hookgate {
//	    redis         <url> | embedded <dir>
//	    namespace     <name>
//	    max_staleness <duration>
//	    usage_flush   <duration>
//	}
func (a *App) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the option's name
	if d.NextArg() {
		return d.ArgErr()
	}
	seen := make(map[string]bool)
	for d.NextBlock(0) {
		word := d.Val()
		if seen[word] {
			return d.Errf("%s is given twice", word)
		}
		seen[word] = true
		var err error
		switch word {
		case "redis":
			a.Redis, err = parseRedis(d)
		case "namespace":
			a.Namespace, err = oneArg(d)
		case "max_staleness":
			a.MaxStaleness, err = durationArg(d)
		case "usage_flush":
			a.UsageFlush, err = durationArg(d)
		default:
			err = d.Errf("unknown word %q in hookgate", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func parseRedis(d *caddyfile.Dispenser) (*Redis, error) {
	args := d.RemainingArgs()
	switch {
	case len(args) == 1 && args[0] != "embedded":
		return &Redis{URL: args[0]}, nil
	case len(args) == 2 && args[0] == "embedded":
		return &Redis{Embedded: args[1]}, nil
	}
	return nil, d.ArgErr()
}

// oneArg returns the single argument of the current word.
func oneArg(d *caddyfile.Dispenser) (string, error) {
	args := d.RemainingArgs()
	if len(args) != 1 || args[0] == "" {
		return "", d.ArgErr()
	}
	return args[0], nil
}

func durationArg(d *caddyfile.Dispenser) (caddy.Duration, error) {
	arg, err := oneArg(d)
	if err != nil {
		return 0, err
	}
	duration, err := caddy.ParseDuration(arg)
	if err != nil || duration <= 0 {
		return 0, d.Errf("%q is not a positive duration", arg)
	}
	return caddy.Duration(duration), nil
}

var _ caddyfile.Unmarshaler = (*App)(nil)
