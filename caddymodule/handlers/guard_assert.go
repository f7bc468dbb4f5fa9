package handlers

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/guard"
)

const (
	defaultAssertAlgorithm = "HS256"
	defaultAssertTTL       = caddy.Duration(time.Minute)
	defaultAssertIssuer    = "hookgate"
	defaultAssertAudience  = "matcher"

	// A JWT has at least a quarter of its ttl left when it is sent: below that the
	// clocks of the machines would have to be better than they are. Above an hour it
	// is a credential of its own for whoever gets hold of it.
	minAssertTTL = caddy.Duration(10 * time.Second)
	maxAssertTTL = caddy.Duration(time.Hour)
)

// AssertJWT vouches for every allowed request with a JWT, for an upstream that
// accepts nothing else, such as Matcher 2.x.
type AssertJWT struct {
	// HS256, HS384 or HS512. Default: HS256.
	Algorithm string `json:"algorithm,omitempty"`

	// The secret shared with the upstream. A placeholder, so that it does not stand in
	// the configuration. Required.
	Secret string `json:"secret,omitempty"`

	// How long a JWT is valid; never longer than the credential. Default: 1m.
	TTL caddy.Duration `json:"ttl,omitempty"`

	// The iss claim. The admin API refuses JWTs that have it. Default: `hookgate`.
	Issuer string `json:"issuer,omitempty"`

	// The aud claim. Default: `matcher`.
	Audience string `json:"audience,omitempty"`

	// Further claims, the same for every credential. None may say who or what may be
	// done.
	Claims map[string]string `json:"claims,omitempty"`
}

func (g *Guard) provisionAssertion() error {
	config := g.AssertJWT
	if config == nil {
		return nil
	}
	if g.ForwardToken && g.TokenHeader == "Authorization" {
		return errors.New("hookgate: the Authorization header cannot hold both the forwarded token and the JWT")
	}
	orElse := func(value *string, otherwise string) {
		if *value == "" {
			*value = otherwise
		}
	}
	orElse(&config.Algorithm, defaultAssertAlgorithm)
	orElse(&config.Issuer, defaultAssertIssuer)
	orElse(&config.Audience, defaultAssertAudience)
	if config.TTL == 0 {
		config.TTL = defaultAssertTTL
	}
	if err := grammar.Within("assert_jwt ttl", config.TTL, minAssertTTL, maxAssertTTL); err != nil {
		return err
	}
	secret, err := grammar.Resolve("assert_jwt secret", config.Secret)
	if err != nil {
		return err
	}
	if len(secret) < bearer.MinSecret {
		g.logger.Warn("the secret of assert_jwt is short enough to be guessed from a token; RFC 7518 wants 32 bytes", zap.Int("bytes", len(secret)))
	}
	claims := make(map[string]string, len(config.Claims))
	for name, value := range config.Claims {
		if claims[name], err = grammar.Resolve("assert_jwt claim "+name, value); err != nil {
			return err
		}
	}
	assertion := guard.Assertion{
		Algorithm: config.Algorithm, Secret: []byte(secret), TTL: time.Duration(config.TTL),
		Issuer: config.Issuer, Audience: config.Audience, Claims: claims,
	}
	if err := g.Matcher.assertFor(&assertion); err != nil {
		return err
	}
	g.policy.Asserter, err = guard.NewAsserter(assertion)
	if err != nil {
		return fmt.Errorf("hookgate: assert_jwt: %w", err)
	}
	return g.app.Peers().AssertsAs(config.Issuer)
}

// parseAssertJWT parses the block:
//
//	assert_jwt {
//	    algorithm HS256|HS384|HS512
//	    secret    <secret>
//	    ttl       <duration>
//	    issuer    <iss>
//	    audience  <aud>
//	    claim     <name> <value>
//	}
func parseAssertJWT(d *caddyfile.Dispenser) (*AssertJWT, error) {
	if d.NextArg() {
		return nil, grammar.ArgErr(d, "assert_jwt")
	}
	config := new(AssertJWT)
	return config, config.Words().Parse(d, "assert_jwt")
}

func (a *AssertJWT) Words() grammar.Words {
	return grammar.Words{
		"algorithm": grammar.Into(&a.Algorithm, grammar.OneArg),
		"secret":    grammar.Into(&a.Secret, grammar.OneArg),
		"ttl":       grammar.Into(&a.TTL, grammar.DurationArg),
		"issuer":    grammar.Into(&a.Issuer, grammar.OneArg),
		"audience":  grammar.Into(&a.Audience, grammar.OneArg),
		"claim":     grammar.Often(a.parseClaim),
	}
}

func (a *AssertJWT) parseClaim(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) != 2 || args[0] == "" || args[1] == "" {
		return grammar.ArgErr(d, "assert_jwt")
	}
	if _, given := a.Claims[args[0]]; given {
		return d.Errf("claim %s is given twice", args[0])
	}
	if a.Claims == nil {
		a.Claims = make(map[string]string)
	}
	a.Claims[args[0]] = args[1]
	return nil
}
