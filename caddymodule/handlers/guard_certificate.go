package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/net/http/httpguts"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/proof/clientcert"
)

// ClientCert is whose TLS certificate requests of a vendor come with.
type ClientCert struct {
	// A file of PEM with the authorities that sign such certificates. Read when the
	// configuration is loaded.
	CA string `json:"ca,omitempty"`

	// Whose certificate counts, of those that the authorities have signed: `*` for
	// everybody's, `dns:<name>`, or attributes of the subject such as
	// `CN=pix.bank.example,O=Bank`. Any of several.
	Subject []string `json:"subject,omitempty"`

	// The header in which a trusted proxy, at which TLS ends, passes the certificate on. By
	// default TLS ends here.
	FromHeader string `json:"from_header,omitempty"`
}

// clientCert compiles whose certificate a vendor's requests come with.
func (g *Guard) clientCert(config *ClientCert) (*guard.ClientCert, error) {
	if config.CA == "" {
		return nil, errors.New("client_cert: ca is missing: the file of the authorities that sign the vendor's certificate")
	}
	authorities, err := os.ReadFile(config.CA)
	if err != nil {
		return nil, fmt.Errorf("client_cert ca: %w", err)
	}
	verifier, err := clientcert.New(authorities, config.Subject)
	if err != nil {
		return nil, fmt.Errorf("client_cert: %w", err)
	}
	if config.FromHeader == "" {
		return &guard.ClientCert{Verifier: verifier}, nil
	}
	header := http.CanonicalHeaderKey(config.FromHeader)
	if !httpguts.ValidHeaderFieldName(header) || header == g.TokenHeader || !guard.CanPass(header) {
		return nil, errors.New("client_cert: from_header is not the name of a header that can hold a certificate")
	}
	if !slices.Contains(g.policy.CertHeaders, header) {
		g.policy.CertHeaders = append(g.policy.CertHeaders, header)
	}
	return &guard.ClientCert{Verifier: verifier, FromHeader: header}, nil
}

// checkCertificates refuses a vendor of whom no certificate could ever come: each of its
// requests would be refused, and nothing say why.
func (g *Guard) checkCertificates(ctx caddy.Context) error {
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		return nil
	}
	for name, vendor := range g.policy.Vendors {
		switch cert := vendor.ClientCert; {
		case cert == nil:
		case cert.FromHeader != "" && !hasTrustedProxies(server):
			return fmt.Errorf("hookgate: vendor %s: client_cert from_header is believed of trusted proxies alone, and there are none: write trusted_proxies in the global option servers", name)
		case cert.FromHeader == "" && !asksForCertificates(server):
			return fmt.Errorf("hookgate: vendor %s: client_cert needs TLS that asks clients for a certificate: write tls { client_auth { mode request } } in the site, or from_header where TLS ends at a proxy", name)
		}
	}
	return nil
}

// hasTrustedProxies reports whether there may be a proxy whose word counts.
func hasTrustedProxies(server *caddyhttp.Server) bool {
	ranges, known := vars.TrustedProxies(server)
	return !known || len(ranges) > 0
}

// asksForCertificates reports whether a server asks its clients for one in TLS, on any name
// that it has.
func asksForCertificates(server *caddyhttp.Server) bool {
	for _, policy := range server.TLSConnPolicies {
		if policy.ClientAuthentication != nil && policy.ClientAuthentication.Active() {
			return true
		}
	}
	return false
}

// parseClientCert parses the block:
//
//	client_cert {
//	    ca          <file>
//	    subject     <pattern>...
//	    from_header <name>
//	}
func parseClientCert(d *caddyfile.Dispenser) (*ClientCert, error) {
	if d.NextArg() {
		return nil, grammar.ArgErr(d, "client_cert")
	}
	config := new(ClientCert)
	return config, config.Words().Parse(d, "client_cert")
}

func (c *ClientCert) Words() grammar.Words {
	return grammar.Words{
		"ca":          grammar.Into(&c.CA, grammar.OneArg),
		"subject":     grammar.Into(&c.Subject, grammar.SomeArgs),
		"from_header": grammar.Into(&c.FromHeader, grammar.OneArg),
	}
}
