package handlers

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"golang.org/x/net/http/httpguts"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
)

// Vendor is what the webhooks of one vendor must show beyond a live token. Where
// both conditions are given, both must hold.
type Vendor struct {
	// The addresses that the vendor sends from: IPs or CIDR prefixes. A client whose
	// address is not known is refused.
	AllowIPs []string `json:"allow_ips,omitempty"`

	// How the vendor signs its bodies.
	Signature *Signature `json:"signature,omitempty"`
}

// Signature is an HMAC-SHA256 of the raw body, in hexadecimal.
type Signature struct {
	// The header that holds it.
	Header string `json:"header,omitempty"`

	// The secrets of which any may have made it; several while the vendor changes from
	// one to the next. Placeholders, so that no secret stands in the configuration.
	Secrets []string `json:"secrets,omitempty"`
}

// addVendors compiles the conditions on vendors.
func (g *Guard) addVendors() error {
	if len(g.Vendors) > 0 && len(g.Webhook) == 0 {
		return errors.New("hookgate: vendor is a condition on webhook paths, and there is none")
	}
	g.policy.Vendors = make(map[string]guard.VendorPolicy, len(g.Vendors))
	for name, config := range g.Vendors {
		if !guard.ValidVendor(name) {
			return fmt.Errorf("hookgate: %q is no vendor: want 1 to 32 characters of a-z 0-9 -", name)
		}
		policy, err := g.vendorPolicy(config)
		if err != nil {
			return fmt.Errorf("hookgate: vendor %s: %w", name, err)
		}
		g.policy.Vendors[name] = policy
	}
	return nil
}

func (g *Guard) vendorPolicy(config *Vendor) (guard.VendorPolicy, error) {
	var policy guard.VendorPolicy
	if config == nil || len(config.AllowIPs) == 0 && config.Signature == nil {
		return policy, errors.New("it takes allow_ips or signature")
	}
	for _, text := range config.AllowIPs {
		prefix, err := credential.ParsePrefix(text)
		if err != nil {
			return policy, fmt.Errorf("allow_ips %q: %w", text, err)
		}
		policy.AllowIPs = append(policy.AllowIPs, prefix)
	}
	if config.Signature == nil {
		return policy, nil
	}
	header := http.CanonicalHeaderKey(config.Signature.Header)
	if !httpguts.ValidHeaderFieldName(header) || header == g.TokenHeader {
		return policy, errors.New("signature: not the name of a header that can hold one")
	}
	if len(config.Signature.Secrets) == 0 {
		return policy, errors.New("signature: the secret is missing")
	}
	check := &guard.SignatureCheck{Header: header}
	for _, text := range config.Signature.Secrets {
		secret, err := grammar.Resolve("signature", text)
		if err != nil {
			return policy, err
		}
		check.Secrets = append(check.Secrets, []byte(secret))
	}
	policy.Signature = check
	return policy, nil
}

// parseVendor parses the block:
//
//	vendor <name> {
//	    allow_ips <ip or cidr>...
//	    signature <header> <secret>...
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
	if vendor.AllowIPs == nil && vendor.Signature == nil {
		return d.Errf("vendor %s takes allow_ips or signature", name)
	}
	if g.Vendors == nil {
		g.Vendors = make(map[string]*Vendor)
	}
	g.Vendors[name] = vendor
	return nil
}

func (v *Vendor) Words() grammar.Words {
	return grammar.Words{
		"allow_ips": grammar.Into(&v.AllowIPs, grammar.SomeArgs),
		"signature": grammar.Into(&v.Signature, parseSignature),
	}
}

func parseSignature(d *caddyfile.Dispenser) (*Signature, error) {
	args := d.RemainingArgs()
	if len(args) < 2 {
		return nil, d.ArgErr()
	}
	return &Signature{Header: args[0], Secrets: args[1:]}, nil
}
