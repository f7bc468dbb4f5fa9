package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"golang.org/x/net/http/httpguts"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/proof"
)

// Vendor is what requests of one vendor must show beyond a live token, and how they are
// answered.
type Vendor struct {
	// The addresses that the vendor sends from: IPs or CIDR prefixes. A client whose
	// address is not known is refused.
	AllowIPs []string `json:"allow_ips,omitempty"`

	// How the vendor signs its bodies, where that is a plain HMAC.
	Signature *Signature `json:"signature,omitempty"`

	// How the vendor proves itself; any of them is enough.
	Verify []*Verify `json:"verify,omitempty"`

	// Whose TLS certificate its requests come with.
	ClientCert *ClientCert `json:"client_cert,omitempty"`

	// With `any`, one of addresses, certificate and proof is enough. Default: `all`.
	Require string `json:"require,omitempty"`

	// With `off`, a proof that fails is logged and counted, and refuses nothing.
	// Default: `on`.
	Enforce string `json:"enforce,omitempty"`

	// How long a delivered event is recognised when it comes again: it is answered, and not
	// delivered again. Default: never.
	Replay caddy.Duration `json:"replay,omitempty"`

	// A handshake by which the vendor finds out whether its events are wanted.
	Challenge *proof.Challenge `json:"challenge,omitempty"`

	// What the vendor gets in place of the upstream's own 2xx.
	Success *Success `json:"success,omitempty"`
}

// Signature is an HMAC-SHA256 of the raw body, in hexadecimal.
type Signature struct {
	// The header that holds it.
	Header string `json:"header,omitempty"`

	// The secrets of which any may have made it; several while the vendor changes from
	// one to the next. Placeholders, so that no secret stands in the configuration.
	Secrets []string `json:"secrets,omitempty"`
}

// Verify is a scheme and the secrets of it.
type Verify struct {
	// The name of a preset, or else a scheme.
	Preset string        `json:"preset,omitempty"`
	Scheme *proof.Scheme `json:"scheme,omitempty"`

	// Any of them verifies. Placeholders, so that no secret stands in the configuration.
	Secrets []string `json:"secrets,omitempty"`
}

// Success is an answer.
type Success struct {
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
}

const (
	requireAll, requireAny = "all", "any"
	enforceOn, enforceOff  = "on", "off"

	minReplay = caddy.Duration(time.Second)
	maxReplay = caddy.Duration(7 * 24 * time.Hour)
)

// addVendors compiles the conditions on vendors.
func (g *Guard) addVendors() error {
	if len(g.Vendors) > 0 && len(g.Webhook) == 0 {
		return errors.New("hookgate: vendor is a condition on webhook paths, and there is none")
	}
	g.policy.Vendors = make(map[string]*guard.VendorPolicy, len(g.Vendors))
	for name, config := range g.Vendors {
		if !guard.ValidVendor(name) {
			return fmt.Errorf("hookgate: %q is no vendor: want 1 to 32 characters of a-z 0-9 -", name)
		}
		policy, err := g.vendorPolicy(config)
		if err != nil {
			return fmt.Errorf("hookgate: vendor %s: %s", name, strings.TrimPrefix(err.Error(), "hookgate: ")) // once is enough
		}
		g.policy.Vendors[name] = policy
	}
	return nil
}

var errNoCondition = errors.New("it takes allow_ips, signature, verify, client_cert or another of its words")

func (v *Vendor) isEmpty() bool {
	return v == nil || len(v.AllowIPs)+len(v.Verify) == 0 && v.Signature == nil && v.Require == "" && v.Enforce == "" && v.Replay == 0 &&
		v.Challenge == nil && v.Success == nil && v.ClientCert == nil
}

func (g *Guard) vendorPolicy(config *Vendor) (*guard.VendorPolicy, error) {
	if config.isEmpty() {
		return nil, errNoCondition
	}
	policy := &guard.VendorPolicy{Either: config.Require == requireAny, Unenforced: config.Enforce == enforceOff, Replay: time.Duration(config.Replay)}
	for _, text := range config.AllowIPs {
		prefix, err := credential.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("allow_ips %q: %w", text, err)
		}
		policy.AllowIPs = append(policy.AllowIPs, prefix)
	}
	if config.Signature != nil {
		verifier, err := g.signature(config.Signature)
		if err != nil {
			return nil, err
		}
		policy.Proof = append(policy.Proof, verifier)
	}
	for _, verify := range config.Verify {
		verifier, err := g.verifier(verify)
		if err != nil {
			return nil, err
		}
		policy.Proof = append(policy.Proof, verifier)
	}
	if config.ClientCert != nil {
		var err error
		if policy.ClientCert, err = g.clientCert(config.ClientCert); err != nil {
			return nil, err
		}
	}
	if err := config.challenge(policy); err != nil {
		return nil, err
	}
	return policy, config.check(policy)
}

// check refuses what would not do what it says.
func (v *Vendor) check(policy *guard.VendorPolicy) error {
	switch {
	case !slices.Contains([]string{"", requireAll, requireAny}, v.Require):
		return errors.New("require takes all or any")
	case policy.Either && !policy.HasChoice():
		return errors.New("require any needs two of allow_ips, client_cert, and verify or signature: with one of them there is nothing to choose from")
	case !slices.Contains([]string{"", enforceOn, enforceOff}, v.Enforce):
		return errors.New("enforce takes on or off")
	case v.Replay != 0 && policy.Proof != nil && !policy.Proof.Identifies():
		return errors.New("replay: a constant secret tells no event from another; the scheme needs an id")
	case v.Success != nil && (v.Success.Status < 200 || v.Success.Status > 299):
		return errors.New("success takes a status from 200 to 299")
	}
	if v.Success != nil {
		policy.Success = &guard.Success{Status: v.Success.Status, Body: v.Success.Body}
	}
	if v.Replay == 0 {
		return nil
	}
	return grammar.Within("replay", v.Replay, minReplay, maxReplay)
}

func (v *Vendor) challenge(policy *guard.VendorPolicy) error {
	if v.Challenge == nil {
		return nil
	}
	resolved := *v.Challenge
	if resolved.Secret != "" {
		var err error
		if resolved.Secret, err = grammar.Resolve("challenge", resolved.Secret); err != nil {
			return err
		}
	}
	responder, err := resolved.Responder()
	if err != nil {
		return err
	}
	policy.Challenge = &guard.Challenge{Responder: responder, Kind: resolved.Kind}
	return nil
}

func (g *Guard) signature(config *Signature) (*proof.Verifier, error) {
	header := http.CanonicalHeaderKey(config.Header)
	if !httpguts.ValidHeaderFieldName(header) || header == g.TokenHeader {
		return nil, errors.New("signature: not the name of a header that can hold one")
	}
	scheme := proof.Scheme{Signature: proof.Signature{Place: proof.Place{Header: []string{header}}}}
	return secretVerifier("signature", scheme, config.Secrets)
}

func (g *Guard) verifier(config *Verify) (*proof.Verifier, error) {
	switch {
	case config == nil || (config.Preset == "") == (config.Scheme == nil):
		return nil, errors.New("verify: either a preset or a scheme")
	case config.Scheme != nil:
		for _, name := range config.Scheme.Signature.Header {
			if http.CanonicalHeaderKey(name) == g.TokenHeader {
				return nil, errors.New("verify: the token header holds no signature")
			}
		}
		return secretVerifier("verify", *config.Scheme, config.Secrets)
	}
	preset, known := proof.Named(config.Preset)
	if !known {
		return nil, errors.New("verify: there is no preset of this name; `hookgate schemes` lists them")
	}
	return secretVerifier("verify "+config.Preset, preset.Scheme, config.Secrets)
}

// secretVerifier makes a scheme ready with the secrets of a configuration.
func secretVerifier(word string, scheme proof.Scheme, secrets []string) (*proof.Verifier, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%s: the secret is missing", word)
	}
	program, err := proof.Compile(scheme)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", word, err)
	}
	resolved := make([]proof.Secret, len(secrets))
	for i, text := range secrets {
		if resolved[i].Value, err = grammar.Resolve(word, text); err != nil {
			return nil, err
		}
	}
	verifier, err := program.With(resolved...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", word, err)
	}
	return verifier, nil
}

// parseVendor parses the block:
//
//	vendor <name> {
//	    allow_ips <ip or cidr>...
//	    signature <header> <secret>...
//	    verify    <preset> <secret>... | { ... }
//	    client_cert { ... }
//	    require   all|any
//	    enforce   on|off
//	    replay    <duration>|off
//	    challenge <kind> [<secret>] | echo header|query|body <name>
//	    success   <status> [<body>]
//	}
func (g *Guard) parseVendor(d *caddyfile.Dispenser) error {
	name, err := grammar.OneArg(d)
	if err != nil {
		return err
	}
	if _, given := g.Vendors[name]; given {
		return d.Errf("vendor %s is given twice", name)
	}
	vendor := new(Vendor)
	if err := vendor.Words().Parse(d, "vendor"); err != nil {
		return err
	}
	if vendor.isEmpty() {
		return d.Errf("vendor %s: %v", name, errNoCondition)
	}
	if g.Vendors == nil {
		g.Vendors = make(map[string]*Vendor)
	}
	g.Vendors[name] = vendor
	return nil
}

func (v *Vendor) Words() grammar.Words {
	return grammar.Words{
		"allow_ips":   grammar.Into(&v.AllowIPs, grammar.SomeArgs),
		"signature":   grammar.Into(&v.Signature, parseSignature),
		"verify":      grammar.Often(v.parseVerify),
		"client_cert": grammar.Into(&v.ClientCert, parseClientCert),
		"require":     grammar.Into(&v.Require, oneOf(requireAll, requireAny)),
		"enforce":     grammar.Into(&v.Enforce, oneOf(enforceOn, enforceOff)),
		"replay":      grammar.Into(&v.Replay, parseReplay),
		"challenge":   grammar.Into(&v.Challenge, parseChallenge),
		"success":     grammar.Into(&v.Success, parseSuccess),
	}
}

func parseSignature(d *caddyfile.Dispenser) (*Signature, error) {
	args := d.RemainingArgs()
	if len(args) < 2 {
		return nil, grammar.ArgErr(d, "signature")
	}
	return &Signature{Header: args[0], Secrets: args[1:]}, nil
}

// parseVerify parses a preset and its secrets, or a scheme in words.
func (v *Vendor) parseVerify(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	switch {
	case len(args) >= 2:
		v.Verify = append(v.Verify, &Verify{Preset: args[0], Secrets: args[1:]})
		return nil
	case len(args) == 1:
		return grammar.ArgErr(d, "verify")
	}
	var lines [][]string
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		lines = append(lines, append([]string{d.Val()}, d.RemainingArgs()...))
	}
	if len(lines) == 0 {
		return grammar.ArgErr(d, "verify")
	}
	scheme, secrets, err := proof.FromWords(lines)
	switch {
	case err != nil:
		return d.Errf("verify: %v", err)
	case len(secrets) == 0:
		return d.Err("verify: the secret is missing")
	}
	v.Verify = append(v.Verify, &Verify{Scheme: &scheme, Secrets: secrets})
	return nil
}

// oneOf returns what parses a single word of some.
func oneOf(words ...string) func(*caddyfile.Dispenser) (string, error) {
	return func(d *caddyfile.Dispenser) (string, error) {
		arg, err := grammar.OneArg(d)
		if err == nil && !slices.Contains(words, arg) {
			return "", d.Errf("%q is none of %s", arg, strings.Join(words, ", "))
		}
		return arg, err
	}
}

func parseReplay(d *caddyfile.Dispenser) (caddy.Duration, error) {
	arg, err := grammar.OneArg(d)
	if err != nil || arg == "off" {
		return 0, err
	}
	return grammar.ParseDuration(d, arg)
}

func parseChallenge(d *caddyfile.Dispenser) (*proof.Challenge, error) {
	challenge, err := proof.ChallengeFromWords(d.RemainingArgs())
	if err != nil {
		return nil, d.Errf("%v", err)
	}
	return &challenge, nil
}

func parseSuccess(d *caddyfile.Dispenser) (*Success, error) {
	args := d.RemainingArgs()
	if len(args) < 1 || len(args) > 2 {
		return nil, grammar.ArgErr(d, "success")
	}
	status, err := strconv.Atoi(args[0])
	if err != nil || status < 200 || status > 299 {
		return nil, d.Errf("%q is no status from 200 to 299", args[0])
	}
	success := &Success{Status: status}
	if len(args) == 2 {
		success.Body = args[1]
	}
	return success, nil
}
