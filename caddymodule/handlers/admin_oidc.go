package handlers

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/admin/signin"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/credential/seal"
)

// OIDC says where operators sign in to the console, by OpenID Connect.
type OIDC struct {
	// The issuer. It is read when somebody first signs in.
	Issuer string `json:"issuer,omitempty"`

	// What the issuer knows us by. A placeholder for the secret; none for a public client.
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`

	// What is asked for. Default: openid, profile and email.
	Scopes []string `json:"scopes,omitempty"`

	// Where browsers find /console/callback. By default at the scheme and Host of the
	// request, which are wrong where TLS is ended in front.
	RedirectURL string `json:"redirect_url,omitempty"`

	// A PEM file with the authorities to trust for the issuer instead of the system's.
	TLSCA string `json:"tls_ca,omitempty"`

	// When a session ends: after its last request (default: 30m), and after its begin
	// (default: 12h).
	SessionIdle caddy.Duration `json:"session_idle,omitempty"`
	SessionMax  caddy.Duration `json:"session_max,omitempty"`
}

const (
	minSession = caddy.Duration(time.Minute)
	maxSession = caddy.Duration(7 * 24 * time.Hour)
)

// signedOut are the ended sessions of the process, which outlast a reload.
var signedOut = signin.NewSignedOut()

// processKeys seal sessions where there is no seal_key: until the process ends.
var processKeys = sync.OnceValues(func() (*seal.Keys, error) {
	var key [32]byte
	rand.Read(key[:])
	return seal.ParseKeys(base64.StdEncoding.EncodeToString(key[:]))
})

// provision returns where to sign in, nil where that is not configured. It asks nothing of
// the issuer.
func (o *OIDC) provision(keys *seal.Keys) (*signin.Config, error) {
	if o == nil {
		return nil, nil
	}
	config := &signin.Config{
		Scopes: o.Scopes, Idle: time.Duration(o.SessionIdle), Max: time.Duration(o.SessionMax), Keys: keys, SignedOut: signedOut,
	}
	for word, length := range map[string]caddy.Duration{"session_idle": o.SessionIdle, "session_max": o.SessionMax} {
		if length != 0 {
			if err := grammar.Within(word, length, minSession, maxSession); err != nil {
				return nil, err
			}
		}
	}
	var err error
	for _, w := range []struct {
		word, value string
		required    bool
		to          *string
	}{
		{"oidc issuer", o.Issuer, true, &config.Issuer},
		{"oidc client_id", o.ClientID, true, &config.ClientID},
		{"oidc client_secret", o.ClientSecret, false, &config.ClientSecret},
		{"oidc redirect_url", o.RedirectURL, false, &config.RedirectURL},
	} {
		if w.value == "" && !w.required {
			continue
		}
		if *w.to, err = grammar.Resolve(w.word, w.value); err != nil {
			return nil, err
		}
	}
	scheme, _, _ := strings.Cut(config.Issuer, "://")
	if config.RootCAs, err = rootsOf(o.TLSCA, strings.ToLower(scheme)); err != nil {
		return nil, fmt.Errorf("hookgate_admin: oidc: %w", err)
	}
	if keys == nil {
		config.Keys, err = processKeys()
	}
	return config, err
}

// parseOIDC parses the block:
//
//	oidc {
//	    issuer        <url>
//	    client_id     <id>
//	    client_secret <secret>
//	    scopes        <scope>...
//	    redirect_url  <url>
//	    tls_ca        <path>
//	    session_idle  <duration>
//	    session_max   <duration>
//	}
func parseOIDC(d *caddyfile.Dispenser) (*OIDC, error) {
	if d.NextArg() {
		return nil, grammar.ArgErr(d, "oidc")
	}
	o := new(OIDC)
	return o, o.Words().Parse(d, "oidc")
}

func (o *OIDC) Words() grammar.Words {
	return grammar.Words{
		"issuer":        grammar.Into(&o.Issuer, grammar.OneArg),
		"client_id":     grammar.Into(&o.ClientID, grammar.OneArg),
		"client_secret": grammar.Into(&o.ClientSecret, grammar.OneArg),
		"scopes":        grammar.Into(&o.Scopes, grammar.SomeArgs),
		"redirect_url":  grammar.Into(&o.RedirectURL, grammar.OneArg),
		"tls_ca":        grammar.Into(&o.TLSCA, grammar.OneArg),
		"session_idle":  grammar.Into(&o.SessionIdle, grammar.DurationArg),
		"session_max":   grammar.Into(&o.SessionMax, grammar.DurationArg),
	}
}
