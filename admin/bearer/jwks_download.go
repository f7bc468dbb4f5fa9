package bearer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"

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
	case u.Scheme == "http" && !insecure && !isLoopback(u.Hostname()):
		return errors.New("jwt: the JWKS URL must begin with https://; insecure allows http")
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// newKeySetClient returns a client that goes through the proxy of the environment: keys
// are no secret, and https keeps them from being changed.
func newKeySetClient() *fetch.Client {
	return fetch.New(fetch.Options{Timeout: keySetTimeout, MaxBody: maxKeySet, Proxy: http.ProxyFromEnvironment})
}

// download reads the key set.
func (s *keySet) download(ctx context.Context) ([]byte, error) {
	answer, err := s.client.Get(ctx, s.url, http.Header{"Accept": {"application/jwk-set+json, application/json"}})
	switch {
	case err != nil:
		return nil, err
	case answer.Status != http.StatusOK:
		return nil, fmt.Errorf("status %d", answer.Status)
	}
	return answer.Body, nil
}
