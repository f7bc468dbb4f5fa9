package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/internal/fetch"
	"github.com/hookgate/hookgate/problem"
)

const (
	// issuerTimeout bounds one question to the issuer.
	issuerTimeout = 5 * time.Second
	// issuerSpacing is the time after a failure in which the issuer is not asked for its
	// configuration again: anybody can begin a sign-in.
	issuerSpacing = 5 * time.Second
	// maxIssuerAnswer is the longest answer that is read, in bytes.
	maxIssuerAnswer = 1 << 20
)

// issuer is where operators sign in, known from its configuration document
// (OpenID Connect Discovery 1.0) once somebody needs it.
type issuer struct {
	config *Config
	client *http.Client

	mu    sync.Mutex
	known *metadata
	tried time.Time // the last failure
}

// metadata is what the issuer says of itself.
type metadata struct {
	endpoint oauth2.Endpoint
	verifier *bearer.Verifier
}

func newIssuer(config *Config) *issuer {
	return &issuer{config: config, client: fetch.HTTPClient(fetch.Options{
		Timeout: issuerTimeout, MaxBody: maxIssuerAnswer, Proxy: http.ProxyFromEnvironment, RootCAs: config.RootCAs,
	})}
}

// checkIssuer wants https: whoever can change what the issuer says on its way is every
// operator. Nobody sits between here and a loopback address.
func checkIssuer(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("oidc: the issuer is not a URL like https://idp.example.com/realms/main")
	case strings.HasSuffix(u.Path, "/.well-known/openid-configuration"):
		return errors.New("oidc: the issuer is the URL before /.well-known/openid-configuration")
	case !fetch.Secure(u):
		return errors.New("oidc: the issuer must begin with https://; http:// is for this machine only")
	}
	return nil
}

// context makes the libraries use our client.
func (i *issuer) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, i.client)
}

func (i *issuer) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known != nil {
		i.known.verifier.Close()
	}
}

// known returns what the issuer says of itself.
func (s *SignIn) known() (*metadata, *Failure) {
	known, wait := s.issuer.metadata()
	if known == nil {
		return nil, &Failure{Problem: problem.NoIssuer, RetryAfter: wait}
	}
	return known, nil
}

// metadata reads the configuration document where that has not been done. Who asks
// meanwhile waits for it: for the issuer's time at most.
func (i *issuer) metadata() (*metadata, time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known != nil {
		return i.known, 0
	}
	now := i.config.Now()
	if !i.tried.IsZero() && now.Sub(i.tried) < issuerSpacing {
		return nil, i.tried.Add(issuerSpacing).Sub(now)
	}
	// Not within the request: who goes away must not spoil it for the others.
	ctx, cancel := context.WithTimeout(context.Background(), issuerTimeout)
	defer cancel()
	known, err := i.discover(ctx)
	if err != nil {
		i.tried = i.config.Now()
		i.config.Log.Warn("the issuer of the sign-in cannot be used", slog.Any("error", plainError(err)))
		return nil, issuerSpacing
	}
	i.known = known
	return known, 0
}

func (i *issuer) discover(ctx context.Context) (*metadata, error) {
	provider, err := oidc.NewProvider(i.context(ctx), i.config.Issuer)
	if err != nil {
		return nil, err
	}
	var says struct {
		Keys        string   `json:"jwks_uri"`
		Algorithms  []string `json:"id_token_signing_alg_values_supported"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&says); err != nil {
		return nil, errors.New("its configuration cannot be read")
	}
	known := &metadata{endpoint: provider.Endpoint()}
	known.endpoint.AuthStyle = authStyle(i.config.ClientSecret, says.AuthMethods)
	for name, text := range map[string]string{"authorization_endpoint": known.endpoint.AuthURL, "token_endpoint": known.endpoint.TokenURL, "jwks_uri": says.Keys} {
		if u, err := url.Parse(text); err != nil || u.Host == "" || !fetch.Secure(u) {
			return nil, fmt.Errorf("its %s is no https:// URL", name)
		}
	}
	verify := i.config.Claims
	verify.Secrets, verify.PublicKeys, verify.KeySetToken = nil, nil, ""
	verify.KeySetURL, verify.KeySetRoots = says.Keys, i.config.RootCAs
	verify.Issuer, verify.Audiences = i.config.Issuer, []string{i.config.ClientID}
	verify.Algorithms = bearer.PublicKeyAlgorithms(says.Algorithms)
	known.verifier, err = bearer.NewVerifier(verify, i.config.Now, i.config.Log)
	return known, err
}

// authStyle is how the issuer takes our secret: in a header, where it does not say
// otherwise (RFC 8414 section 2).
func authStyle(secret string, methods []string) oauth2.AuthStyle {
	if secret == "" || len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") && slices.Contains(methods, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// plainError returns what can be logged of an error: the libraries' have URLs and whole
// answers in them.
func plainError(err error) error {
	var outer *url.Error
	var mismatch *oidc.IssuerMismatchError
	switch {
	case errors.As(err, &outer):
		return outer.Err
	case errors.As(err, &mismatch):
		return fmt.Errorf("it calls itself %q, and issuer says %q", mismatch.Discovered, mismatch.Provided)
	case strings.HasPrefix(err.Error(), "its "), strings.HasPrefix(err.Error(), "jwt: "):
		return err
	}
	return errors.New("its configuration cannot be read")
}
