package handlers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/caddymodule/grammar"
)

// JWT says which bearer tokens the admin API accepts. Exactly one of secret,
// jwks_url and public_key_file says with which keys they are signed.
type JWT struct {
	// The shared secrets, any of which verifies a token. Placeholders, so that no secret
	// stands in the configuration.
	Secret several `json:"secret,omitempty"`

	// The JWKS of the issuer. It is read when it is first needed and need not be
	// reachable while the configuration is loaded.
	JWKSURL string `json:"jwks_url,omitempty"`

	// Takes a jwks_url with http that does not lead to this machine.
	JWKSInsecure bool `json:"jwks_insecure,omitempty"`

	// A PEM file with the authorities to trust for jwks_url instead of the system's.
	TLSCA string `json:"tls_ca,omitempty"`

	// A file with the bearer token that is sent to jwks_url, read anew each time.
	BearerTokenFile string `json:"bearer_token_file,omitempty"`

	// PEM files with one public key each, any of which verifies a token. They are read when
	// the configuration is loaded.
	PublicKeyFile several `json:"public_key_file,omitempty"`

	// The algorithms. HS256, HS384 and HS512 go with a secret; RS256, RS384, RS512,
	// PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA, or Ed25519, with public keys. Default:
	// HS256 with a secret, RS256 with jwks_url, and what fits the key in
	// public_key_file, which is RS256 for RSA.
	Algorithms []string `json:"algorithms,omitempty"`

	// How far ahead exp may lie. Default: 30 days.
	MaxTTL caddy.Duration `json:"max_ttl,omitempty"`

	// How far the issuer's clock may differ from ours, for exp, nbf and iat. Default: 30s.
	Leeway caddy.Duration `json:"leeway,omitempty"`

	// What the iss claim must be, and one of the aud claims. Not checked by default.
	Issuer   string  `json:"issuer,omitempty"`
	Audience several `json:"audience,omitempty"`

	// The claims that name the tenant, or paths to them, with dots between the names of
	// claims. Default: tenant_id and tenantId.
	TenantClaims []string `json:"tenant_claims,omitempty"`

	// The claims that hold the roles, or paths to them. Default: roles and role.
	RolesClaims []string `json:"roles_claims,omitempty"`

	// Which roles the values of these claims give, beside owner, admin, minter and viewer.
	RoleMap map[string]string `json:"role_map,omitempty"`

	// The role of a token without one: none, viewer, minter or admin. Default: none.
	DefaultRole string `json:"default_role,omitempty"`

	// The tenant of a token that names none. By default such a token is refused.
	DefaultTenant string `json:"default_tenant,omitempty"`
}

// Bounds of leeway: more than that is no difference of clocks.
const (
	minLeeway = caddy.Duration(time.Second)
	maxLeeway = caddy.Duration(5 * time.Minute)
)

func (j *JWT) config() (bearer.Config, error) {
	if j == nil {
		return bearer.Config{}, errors.New("hookgate_admin: jwt is missing; nobody could sign in")
	}
	config := bearer.Config{
		KeySetInsecure: j.JWKSInsecure,
		Algorithms:     j.Algorithms,
		MaxTTL:         time.Duration(j.MaxTTL),
		Leeway:         time.Duration(j.Leeway),
		Issuer:         j.Issuer,
		Audiences:      j.Audience,
		TenantClaims:   j.TenantClaims,
		RolesClaims:    j.RolesClaims,
		DefaultRole:    bearer.Role(j.DefaultRole),
		RoleMap:        make(map[string]bearer.Role, len(j.RoleMap)),
	}
	for value, role := range j.RoleMap {
		config.RoleMap[value] = bearer.Role(role)
	}
	if j.Leeway != 0 {
		if err := grammar.Within("leeway", j.Leeway, minLeeway, maxLeeway); err != nil {
			return bearer.Config{}, err
		}
	}
	if err := j.keys(&config); err != nil {
		return bearer.Config{}, err
	}
	if j.DefaultTenant != "" {
		var err error
		if config.DefaultTenant, err = uuid.Parse(j.DefaultTenant); err != nil || config.DefaultTenant == uuid.Nil {
			return bearer.Config{}, errors.New("hookgate_admin: default_tenant must be a UUID")
		}
	}
	return config, nil
}

// keys resolves where the keys come from. That it is one place only is checked by
// what was written, so that an empty variable never turns one source into another.
func (j *JWT) keys(config *bearer.Config) error {
	given := 0
	for _, is := range []bool{len(j.Secret) > 0, j.JWKSURL != "", len(j.PublicKeyFile) > 0} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("hookgate_admin: jwt takes exactly one of secret, jwks_url and public_key_file")
	case j.JWKSURL == "" && (j.JWKSInsecure || j.TLSCA != "" || j.BearerTokenFile != ""):
		return errors.New("hookgate_admin: insecure, tls_ca and bearer_token_file go only with jwks_url")
	case j.JWKSURL != "":
		return j.keySet(config)
	case len(j.Secret) > 0:
		secrets, err := j.Secret.resolve("jwt secret")
		for _, secret := range secrets {
			config.Secrets = append(config.Secrets, []byte(secret))
		}
		return err
	}
	paths, err := j.PublicKeyFile.resolve("public_key_file")
	for _, path := range paths {
		key, err := readPublicKey(path)
		if err != nil {
			return err
		}
		config.PublicKeys = append(config.PublicKeys, key)
	}
	return err
}

// keySet resolves where the JWKS is, and what its server wants.
func (j *JWT) keySet(config *bearer.Config) (err error) {
	if config.KeySetURL, err = grammar.Resolve("jwks_url", j.JWKSURL); err != nil {
		return err
	}
	scheme, _, _ := strings.Cut(config.KeySetURL, "://")
	if config.KeySetRoots, err = rootsOf(j.TLSCA, strings.ToLower(scheme)); err != nil {
		return fmt.Errorf("hookgate_admin: jwks_url: %w", err)
	}
	if j.BearerTokenFile == "" {
		return nil
	}
	config.KeySetToken, err = grammar.Resolve("bearer_token_file", j.BearerTokenFile)
	return err
}

// maxPublicKeyFile is the largest file that is read as a public key, in bytes.
const maxPublicKeyFile = 64 << 10

func readPublicKey(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("hookgate_admin: public_key_file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxPublicKeyFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("hookgate_admin: public_key_file: %w", err)
	case len(text) == 0 || len(text) > maxPublicKeyFile:
		return nil, fmt.Errorf("hookgate_admin: public_key_file: %s is no file with one public key", path)
	}
	return text, nil
}

// parseJWT parses the block:
//
//	jwt {
//	    secret            <secret>
//	    jwks_url          <url> [insecure]
//	    tls_ca            <path>
//	    bearer_token_file <path>
//	    public_key_file   <file>
//	    algorithms        <name>...
//	    max_ttl           <duration>
//	    leeway            <duration>
//	    issuer            <iss>
//	    audience          <aud>...
//	    tenant_claims     <claim>...
//	    roles_claims      <claim>...
//	    role_map          <value> <role>
//	    default_role      none|viewer|minter|admin
//	    default_tenant    <uuid>
//	}
func parseJWT(d *caddyfile.Dispenser) (*JWT, error) {
	if d.NextArg() {
		return nil, grammar.ArgErr(d, "jwt")
	}
	config := new(JWT)
	return config, config.Words().Parse(d, "jwt")
}

func (j *JWT) Words() grammar.Words {
	return grammar.Words{
		"secret":            grammar.Often(j.Secret.parseOne),
		"jwks_url":          grammar.Once(j.parseJWKS),
		"tls_ca":            grammar.Into(&j.TLSCA, grammar.OneArg),
		"bearer_token_file": grammar.Into(&j.BearerTokenFile, grammar.OneArg),
		"public_key_file":   grammar.Often(j.PublicKeyFile.parseOne),
		"algorithms":        grammar.Into(&j.Algorithms, grammar.SomeArgs),
		"max_ttl":           grammar.Into(&j.MaxTTL, grammar.DurationArg),
		"leeway":            grammar.Into(&j.Leeway, grammar.DurationArg),
		"issuer":            grammar.Into(&j.Issuer, grammar.OneArg),
		"audience":          grammar.Often(j.Audience.parseSome),
		"tenant_claims":     grammar.Into(&j.TenantClaims, grammar.SomeArgs),
		"roles_claims":      grammar.Into(&j.RolesClaims, grammar.SomeArgs),
		"role_map":          grammar.Often(j.parseRoleMap),
		"default_role":      grammar.Into(&j.DefaultRole, grammar.OneArg),
		"default_tenant":    grammar.Into(&j.DefaultTenant, grammar.OneArg),
	}
}

// parseRoleMap parses `role_map <value> <role>`.
func (j *JWT) parseRoleMap(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) != 2 || args[0] == "" {
		return grammar.ArgErr(d, "role_map")
	}
	if _, twice := j.RoleMap[args[0]]; twice {
		return d.Errf("role_map has %q twice", args[0])
	}
	if j.RoleMap == nil {
		j.RoleMap = make(map[string]string)
	}
	j.RoleMap[args[0]] = args[1]
	return nil
}

func (j *JWT) parseJWKS(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	switch {
	case len(args) == 1:
	case len(args) == 2 && args[1] == "insecure":
		j.JWKSInsecure = true
	default:
		return grammar.ArgErr(d, "jwks_url")
	}
	j.JWKSURL = args[0]
	return nil
}
