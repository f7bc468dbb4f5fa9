// Package grammar parses the blocks of a Caddyfile, each as a table of its words.
package grammar

import (
	"math"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/dustin/go-humanize"
)

// Words is the grammar of a block of the Caddyfile: what each of its words does.
type Words map[string]Word

// Word takes the arguments of a word, which the dispenser stands on.
type Word struct {
	parse func(*caddyfile.Dispenser) error
	Often bool // it may be given more than once
}

// Parse parses the block that follows, which is that of the named word.
func (w Words) Parse(d *caddyfile.Dispenser, block string) error {
	seen := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		name := d.Val()
		word, known := w[name]
		switch {
		case !known:
			return d.Errf("unknown word %q in %s", name, block)
		case seen[name] && !word.Often:
			return d.Errf("%s is given twice", name)
		}
		seen[name] = true
		if err := word.parse(d); err != nil {
			return err
		}
	}
	return nil
}

// ParseAlone parses a directive or module that takes a block and no arguments.
func (w Words) ParseAlone(d *caddyfile.Dispenser) error {
	d.Next() // its name
	name := d.Val()
	if d.NextArg() {
		return ArgErr(d, name)
	}
	return w.Parse(d, name)
}

// Once returns a word that is given at most once, often one that may be repeated.
func Once(parse func(*caddyfile.Dispenser) error) Word  { return Word{parse: parse} }
func Often(parse func(*caddyfile.Dispenser) error) Word { return Word{parse: parse, Often: true} }

// Into returns a word that puts what parse makes of its arguments at to.
func Into[T any](to *T, parse func(*caddyfile.Dispenser) (T, error)) Word {
	return Once(func(d *caddyfile.Dispenser) (err error) {
		*to, err = parse(d)
		return err
	})
}

// Flag takes no argument.
func Flag(d *caddyfile.Dispenser) (bool, error) {
	if word := d.Val(); d.NextArg() {
		return false, ArgErr(d, word)
	}
	return true, nil
}

// ArgErr says that a word has another number of arguments than it takes. Unlike the
// dispenser's own error it quotes none of them, which may be a secret.
func ArgErr(d *caddyfile.Dispenser, word string) error {
	return d.Errf("wrong argument count or unexpected line ending after '%s'", word)
}

// OneArg returns the single argument of the current word.
func OneArg(d *caddyfile.Dispenser) (string, error) {
	word := d.Val()
	args := d.RemainingArgs()
	if len(args) != 1 || args[0] == "" {
		return "", ArgErr(d, word)
	}
	return args[0], nil
}

// SomeArgs returns one argument or more.
func SomeArgs(d *caddyfile.Dispenser) ([]string, error) {
	word := d.Val()
	args := d.RemainingArgs()
	if len(args) == 0 {
		return nil, ArgErr(d, word)
	}
	return args, nil
}

func NumberArg(d *caddyfile.Dispenser) (int, error) {
	arg, err := OneArg(d)
	if err != nil {
		return 0, err
	}
	number, err := strconv.Atoi(arg)
	if err != nil || number < 0 {
		return 0, d.Errf("%q is not a number", arg)
	}
	return number, nil
}

func DurationArg(d *caddyfile.Dispenser) (caddy.Duration, error) {
	arg, err := OneArg(d)
	if err != nil {
		return 0, err
	}
	return ParseDuration(d, arg)
}

func ParseDuration(d *caddyfile.Dispenser, arg string) (caddy.Duration, error) {
	duration, err := caddy.ParseDuration(arg)
	if err != nil || duration <= 0 {
		return 0, d.Errf("%q is not a positive duration", arg)
	}
	return caddy.Duration(duration), nil
}

func SizeArg(d *caddyfile.Dispenser) (int64, error) {
	arg, err := OneArg(d)
	if err != nil {
		return 0, err
	}
	size, err := humanize.ParseBytes(arg)
	if err != nil || size == 0 || size > math.MaxInt64 {
		return 0, d.Errf("%q is not a size", arg)
	}
	return int64(size), nil
}
