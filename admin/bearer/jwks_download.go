package bearer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/hookgate/hookgate/internal/fetch"
)

// maxKeySet is the largest JWKS that is read, in bytes.
const maxKeySet = 1 << 20

// checkKeySetURL wants https: whoever can change the keys on their way is every
// operator. Nobody sits between here and a loopback address.
func checkKeySetURL(text string, insecure bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("jwt: the JWKS URL is not an absolute URL like https://idp.example.com/jwks.json")
	case u.User != nil || u.Fragment != "":
		return errors.New("jwt: the JWKS URL must have no user name, password or fragment")
	case !insecure && !fetch.Secure(u):
		return errors.New("jwt: the JWKS URL must begin with https://; insecure allows http")
	}
	return nil
}

// newKeySetClient returns a client that goes through the proxy of the environment: keys
// are no secret, and https keeps them from being changed.
func newKeySetClient(roots *x509.CertPool) *fetch.Client {
	return fetch.New(fetch.Options{Timeout: keySetTimeout, MaxBody: maxKeySet, Proxy: http.ProxyFromEnvironment, RootCAs: roots})
}

// maxToken is the longest bearer token that is sent to an issuer, in bytes.
const maxToken = 64 << 10

// readToken returns the bearer token in a file. What else may stand in it is not repeated.
func readToken(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("bearer_token_file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	if err != nil {
		return "", fmt.Errorf("bearer_token_file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || len(text) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("bearer_token_file: %s holds no bearer token", name)
	}
	return token, nil
}

// download reads the key set.
func (s *keySet) download(ctx context.Context) ([]byte, error) {
	header := http.Header{"Accept": {"application/jwk-set+json, application/json"}}
	if s.tokenFile != "" {
		token, err := readToken(s.tokenFile)
		if err != nil {
			return nil, err
		}
		header.Set("Authorization", "Bearer "+token)
	}
	answer, err := s.client.Get(ctx, s.url, header)
	switch {
	case err != nil:
		return nil, err
	case answer.Status != http.StatusOK:
		return nil, fmt.Errorf("status %d", answer.Status)
	}
	return answer.Body, nil
}
