// Package signin signs operators in to the console at their organisation's issuer, by
// OpenID Connect's code flow (https://openid.net/specs/openid-connect-core-1_0.html) with
// PKCE (RFC 7636), and keeps them signed in with a sealed cookie. Who they are and what
// they may is read by package bearer, as it is for tokens.
package signin

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/credential/seal"
	"github.com/hookgate/hookgate/problem"
)

// Config says where operators sign in. Issuer, ClientID, Keys, SignedOut and Now are
// required.
type Config struct {
	// Issuer is the URL of the issuer, without /.well-known/openid-configuration. It is read
	// when it is first needed.
	Issuer string
	// ClientID and ClientSecret are what the issuer knows us by. A public client, which PKCE
	// alone protects, has no secret.
	ClientID, ClientSecret string
	// Scopes are asked for. Where empty: openid, profile, email.
	Scopes []string
	// RedirectURL is where browsers find the callback. Where empty it is made of the
	// request's scheme and Host, which are wrong behind something that ends TLS.
	RedirectURL string
	// RootCAs are the authorities to trust instead of the system's, if not nil.
	RootCAs *x509.CertPool
	// Idle and Max end a session: that long after its last request, and after its begin.
	// Where zero: 30 minutes, 12 hours.
	Idle, Max time.Duration
	// Claims says what the claims mean. Keys, issuer and audience in it do not apply.
	Claims bearer.Config
	// Keys seal the cookies.
	Keys *seal.Keys
	// SignedOut are the sessions of the process that have been ended.
	SignedOut *SignedOut
	Now       func() time.Time
	// Log gets failures, and never a token, a code or a cookie. Nil: nothing is logged.
	Log *slog.Logger
}

const (
	defaultIdle = 30 * time.Minute
	defaultMax  = 12 * time.Hour
)

// Where the sign-in is, below the console.
const (
	LoginPath    = "/console/login"
	CallbackPath = "/console/callback"
	LogoutPath   = "/console/logout"
)

// SignIn signs operators in.
type SignIn struct {
	config   Config
	issuer   *issuer
	redirect *url.URL // nil: it is made of the request
}

// New fails where the configuration is not usable. The issuer need not be reachable.
func New(config Config) (*SignIn, error) {
	config.Idle, config.Max = cmp.Or(config.Idle, defaultIdle), cmp.Or(config.Max, defaultMax)
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if len(config.Scopes) == 0 {
		config.Scopes = []string{"openid", "profile", "email"}
	}
	switch {
	case config.ClientID == "":
		return nil, errors.New("oidc: client_id is missing")
	case !slices.Contains(config.Scopes, "openid"):
		return nil, errors.New("oidc: scopes must have openid: without it there is no id token")
	case config.Keys == nil || config.SignedOut == nil || config.Now == nil:
		return nil, errors.New("oidc: no keys, no clock or no memory of ended sessions")
	case config.Idle < 0 || config.Max < config.Idle:
		return nil, errors.New("oidc: session_idle must not be longer than session_max")
	}
	if err := checkIssuer(config.Issuer); err != nil {
		return nil, err
	}
	s := &SignIn{config: config}
	if config.RedirectURL != "" {
		var err error
		if s.redirect, err = parseRedirect(config.RedirectURL); err != nil {
			return nil, err
		}
	}
	s.issuer = newIssuer(&s.config)
	return s, nil
}

// Close ends what is done in the background.
func (s *SignIn) Close() { s.issuer.close() }

// Public is what whoever wants to sign in has to know. The issuer shows all of it to
// everybody who begins.
type Public struct {
	Issuer   string   `json:"issuer,omitempty"`
	ClientID string   `json:"clientId,omitempty"`
	Scopes   []string `json:"scopes,omitempty"`
	// SignedIn says whether the browser that asks has a session.
	SignedIn bool `json:"signedIn,omitempty"`
}

// Public returns what is no secret of the configuration.
func (s *SignIn) Public() Public {
	return Public{Issuer: s.config.Issuer, ClientID: s.config.ClientID, Scopes: s.config.Scopes}
}

// Login sends the browser to the issuer. What comes back must belong to this attempt: the
// state, the nonce and the verifier are in a cookie that nobody but us can make or read.
func (s *SignIn) Login(w http.ResponseWriter, r *http.Request) *Failure {
	at, ours := s.site(r)
	if !ours {
		return fail(problem.SignInInsecure)
	}
	known, failure := s.known()
	if failure != nil {
		return failure
	}
	a := attempt{State: randomText(), Nonce: randomText(), Verifier: oauth2.GenerateVerifier(), Redirect: at.callback, Until: s.config.Now().Add(attemptLife).Unix()}
	if err := s.setAttempt(w, at, &a); err != nil {
		return s.internal(err)
	}
	target := s.oauth(known, a.Redirect).AuthCodeURL(a.State,
		oauth2.SetAuthURLParam("nonce", a.Nonce), oauth2.S256ChallengeOption(a.Verifier))
	protect(w)
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// Callback takes what the issuer says of somebody who signed in there, and begins the
// session.
func (s *SignIn) Callback(w http.ResponseWriter, r *http.Request) *Failure {
	at, ours := s.site(r)
	if !ours {
		return fail(problem.SignInInsecure)
	}
	begun, known := s.attempt(r, at)
	s.clear(w, at.attemptCookie, at, http.SameSiteLaxMode) // it is good for one try
	query := r.URL.Query()
	if !known || !same(one(query, "state"), begun.State) {
		return fail(problem.SignInStale)
	}
	// RFC 9207: an issuer that is not ours may have sent the browser here.
	if iss := query.Get("iss"); iss != "" && iss != s.config.Issuer {
		return fail(problem.SignInInvalid).because("It comes from another issuer than the one that was asked.")
	}
	if refused := query.Get("error"); refused != "" {
		return s.refused(refused, query.Get("error_description"))
	}
	code := one(query, "code")
	if code == "" {
		return fail(problem.SignInInvalid).because("It has no code.")
	}
	who, failure := s.redeem(r.Context(), code, &begun)
	if failure != nil {
		return failure
	}
	if failure := s.begin(w, at, who); failure != nil {
		return failure
	}
	protect(w)
	writePage(w, http.StatusOK, goOn)
	return nil
}

// redeem exchanges the code for an id token, and returns whom that proves.
func (s *SignIn) redeem(ctx context.Context, code string, begun *attempt) (bearer.Identity, *Failure) {
	known, failure := s.known()
	if failure != nil {
		return bearer.Identity{}, failure
	}
	token, err := s.oauth(known, begun.Redirect).Exchange(s.issuer.context(ctx), code, oauth2.VerifierOption(begun.Verifier))
	if err != nil {
		return bearer.Identity{}, s.notRedeemed(err)
	}
	text, _ := token.Extra("id_token").(string)
	if text == "" {
		return bearer.Identity{}, fail(problem.SignInInvalid).because("It has no id token.")
	}
	who, claims, refusal := known.verifier.Verify(ctx, text)
	if refusal != nil {
		return bearer.Identity{}, s.unproved(refusal)
	}
	nonce, _ := claims["nonce"].(string)
	switch {
	case !same(nonce, begun.Nonce):
		return bearer.Identity{}, fail(problem.SignInInvalid).because("The id token was made for another sign-in.")
	case !s.forUs(claims):
		return bearer.Identity{}, fail(problem.SignInInvalid).because("The id token was made for another client.")
	case len(who.Tenants) == 0:
		return bearer.Identity{}, fail(problem.NoTenant)
	case who.Role == bearer.RoleNone:
		return bearer.Identity{}, fail(problem.Role)
	}
	return who, nil
}

// forUs reports whether we are who the token was made for; its aud has been checked.
// OpenID Connect Core 3.1.3.7: an azp, where there is one, is the client that asked for it.
func (s *SignIn) forUs(claims jwt.MapClaims) bool {
	azp, given := claims["azp"]
	return !given || azp == s.config.ClientID
}

// Takes reports whether a bearer token says to be an id token of the issuer for us: that
// decides by whose keys it is verified, and nothing else.
func (s *SignIn) Takes(token string) bool {
	var claims struct {
		Issuer   string           `json:"iss"`
		Audience jwt.ClaimStrings `json:"aud"`
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && decode(text, &claims) && claims.Issuer == s.config.Issuer && slices.Contains(claims.Audience, s.config.ClientID)
}

// Bearer returns whom an id token proves that is sent as a bearer token: that of the command
// line, for one.
func (s *SignIn) Bearer(ctx context.Context, token string) (bearer.Identity, *bearer.Refusal) {
	known, failure := s.known()
	if failure != nil {
		return bearer.Identity{}, &bearer.Refusal{Reason: bearer.NoKeys, RetryAfter: failure.RetryAfter}
	}
	who, claims, refusal := known.verifier.Verify(ctx, token)
	if refusal == nil && !s.forUs(claims) {
		refusal = &bearer.Refusal{Reason: bearer.WrongAudience}
	}
	return who, refusal
}

func (s *SignIn) oauth(known *metadata, redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: s.config.ClientID, ClientSecret: s.config.ClientSecret, Endpoint: known.endpoint,
		RedirectURL: redirect, Scopes: s.config.Scopes,
	}
}

// one returns the value of a parameter that is given once, else "".
func one(query url.Values, name string) string {
	if len(query[name]) != 1 {
		return ""
	}
	return query[name][0]
}
