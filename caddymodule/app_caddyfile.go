package caddymodule

import (
	"strconv"

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
//	    redis         <url> | cluster <url>... | sentinel <master> <url>... | embedded <dir> [{ ... }]
//	    namespace     <name>
//	    max_staleness <duration>
//	    usage_flush   <duration>
//	    wait_replicas <number>
//	    audit_keep    <number> <duration>
//	}
//
// The words of the redis block may also stand beside redis.
func (a *App) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the option's name
	if d.NextArg() {
		return d.ArgErr()
	}
	redis := new(Redis)
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
			err = redis.UnmarshalCaddyfile(d)
		case "namespace":
			a.Namespace, err = oneArg(d)
		case "max_staleness":
			a.MaxStaleness, err = durationArg(d)
		case "usage_flush":
			a.UsageFlush, err = durationArg(d)
		case "audit_keep":
			err = a.parseAuditKeep(d)
		case "wait_replicas":
			a.WaitReplicas, err = numberArg(d)
		default:
			var known bool
			if known, err = redis.parseWord(d); !known {
				err = d.Errf("unknown word %q in hookgate", word)
			}
		}
		if err != nil {
			return err
		}
	}
	if len(redis.URLs) > 0 || redis.Embedded != "" {
		a.Redis = redis
	}
	return nil
}

func (a *App) parseAuditKeep(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) != 2 {
		return d.ArgErr()
	}
	keep, err := strconv.Atoi(args[0])
	if err != nil || keep <= 0 {
		return d.Errf("%q is not a positive number", args[0])
	}
	life, err := caddy.ParseDuration(args[1])
	if err != nil || life <= 0 {
		return d.Errf("%q is not a positive duration", args[1])
	}
	a.AuditKeep, a.AuditLife = keep, caddy.Duration(life)
	return nil
}

// oneArg returns the single argument of the current word.
func oneArg(d *caddyfile.Dispenser) (string, error) {
	args := d.RemainingArgs()
	if len(args) != 1 || args[0] == "" {
		return "", d.ArgErr()
	}
	return args[0], nil
}

func numberArg(d *caddyfile.Dispenser) (int, error) {
	arg, err := oneArg(d)
	if err != nil {
		return 0, err
	}
	number, err := strconv.Atoi(arg)
	if err != nil || number < 0 {
		return 0, d.Errf("%q is not a number", arg)
	}
	return number, nil
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
