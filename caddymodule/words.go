package caddymodule

import (
	"math"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/dustin/go-humanize"
)

// words is the grammar of a block of the Caddyfile: what each of its words does.
type words map[string]word

// word takes the arguments of a word, which the dispenser stands on.
type word struct {
	parse func(*caddyfile.Dispenser) error
	often bool // it may be given more than once
}

// parse parses the block that follows, which is that of the named word.
func (w words) parse(d *caddyfile.Dispenser, block string) error {
	seen := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		name := d.Val()
		word, known := w[name]
		switch {
		case !known:
			return d.Errf("unknown word %q in %s", name, block)
		case seen[name] && !word.often:
			return d.Errf("%s is given twice", name)
		}
		seen[name] = true
		if err := word.parse(d); err != nil {
			return err
		}
	}
	return nil
}

// parseAlone parses a directive or module that takes a block and no arguments.
func (w words) parseAlone(d *caddyfile.Dispenser) error {
	d.Next() // its name
	name := d.Val()
	if d.NextArg() {
		return d.ArgErr()
	}
	return w.parse(d, name)
}

// once returns a word that is given at most once, often one that may be repeated.
func once(parse func(*caddyfile.Dispenser) error) word  { return word{parse: parse} }
func often(parse func(*caddyfile.Dispenser) error) word { return word{parse: parse, often: true} }

// into returns a word that puts what parse makes of its arguments at to.
func into[T any](to *T, parse func(*caddyfile.Dispenser) (T, error)) word {
	return once(func(d *caddyfile.Dispenser) (err error) {
		*to, err = parse(d)
		return err
	})
}

// flag takes no argument.
func flag(d *caddyfile.Dispenser) (bool, error) {
	if d.NextArg() {
		return false, d.ArgErr()
	}
	return true, nil
}

// oneArg returns the single argument of the current word.
func oneArg(d *caddyfile.Dispenser) (string, error) {
	args := d.RemainingArgs()
	if len(args) != 1 || args[0] == "" {
		return "", d.ArgErr()
	}
	return args[0], nil
}

// someArgs returns one argument or more.
func someArgs(d *caddyfile.Dispenser) ([]string, error) {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return nil, d.ArgErr()
	}
	return args, nil
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
	return parseDuration(d, arg)
}

func parseDuration(d *caddyfile.Dispenser, arg string) (caddy.Duration, error) {
	duration, err := caddy.ParseDuration(arg)
	if err != nil || duration <= 0 {
		return 0, d.Errf("%q is not a positive duration", arg)
	}
	return caddy.Duration(duration), nil
}

func sizeArg(d *caddyfile.Dispenser) (int64, error) {
	arg, err := oneArg(d)
	if err != nil {
		return 0, err
	}
	size, err := humanize.ParseBytes(arg)
	if err != nil || size == 0 || size > math.MaxInt64 {
		return 0, d.Errf("%q is not a size", arg)
	}
	return int64(size), nil
}
