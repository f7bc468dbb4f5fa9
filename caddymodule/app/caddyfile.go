package app

import (
	"maps"
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/store"
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
//	    audit_sink    file <path> | syslog <address> | https <url> [{ ... }]
//	    express       on | off
//	    held_bodies   <size>
//	    seal_key      <key> [<older>...]
//	    quota         <number>|off
//	    tracing
//	    allow_unredacted_logs
//	}
//
// The words of the redis block may also stand beside redis.
func (a *App) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	redis := new(Redis)
	if err := a.Words(redis).ParseAlone(d); err != nil {
		return err
	}
	if len(redis.URLs) > 0 || redis.Embedded != "" {
		a.Redis = redis
	}
	return nil
}

func (a *App) Words(redis *Redis) grammar.Words {
	w := grammar.Words{
		"redis":         grammar.Once(redis.UnmarshalCaddyfile),
		"namespace":     grammar.Into(&a.Namespace, grammar.OneArg),
		"max_staleness": grammar.Into(&a.MaxStaleness, grammar.DurationArg),
		"usage_flush":   grammar.Into(&a.UsageFlush, grammar.DurationArg),
		"wait_replicas": grammar.Into(&a.WaitReplicas, grammar.NumberArg),
		"audit_keep":    grammar.Once(a.parseAuditKeep),
		"audit_sink":    grammar.Often(a.parseAuditSink),
		"express":       grammar.Into(&a.Express, grammar.OneArg),
		"held_bodies":   grammar.Into(&a.HeldBodies, grammar.SizeArg),
		"seal_key":      grammar.Into(&a.SealKeys, grammar.SomeArgs),
		"quota":         grammar.Once(a.parseQuota),
		"tracing":       grammar.Into(&a.Tracing, grammar.Flag),

		"allow_unredacted_logs": grammar.Into(&a.AllowUnredactedLogs, grammar.Flag),
	}
	maps.Copy(w, redis.Words())
	return w
}

func (a *App) parseAuditKeep(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) != 2 {
		return grammar.ArgErr(d, "audit_keep")
	}
	keep, err := strconv.Atoi(args[0])
	if err != nil || keep <= 0 {
		return d.Errf("%q is not a positive number", args[0])
	}
	a.AuditKeep = keep
	a.AuditLife, err = grammar.ParseDuration(d, args[1])
	return err
}

func (a *App) parseQuota(d *caddyfile.Dispenser) error {
	arg, err := grammar.OneArg(d)
	if err != nil {
		return err
	}
	if arg == "off" {
		a.Quota = store.NoQuota
		return nil
	}
	a.Quota, err = strconv.Atoi(arg)
	if err != nil || a.Quota <= 0 {
		return d.Errf("%q is neither a positive number nor off", arg)
	}
	return nil
}

var _ caddyfile.Unmarshaler = (*App)(nil)
