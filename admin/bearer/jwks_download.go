package bearer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"

	"github.com/MicahParks/jwkset"

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

// download reads the key set and returns the keys in it that can be used.
func (s *keySet) download(ctx context.Context) ([]jwkset.JWK, error) {
	answer, err := s.client.Get(ctx, s.url, http.Header{"Accept": {"application/jwk-set+json, application/json"}})
	switch {
	case err != nil:
		return nil, err
	case answer.Status != http.StatusOK:
		return nil, fmt.Errorf("status %d", answer.Status)
	}
	return usableKeys(answer.Body, s.algorithms)
}

var errNotKeySet = errors.New("not a JWK set")

// usableKeys returns the keys of a set that may verify one of the algorithms. The
// others are no error: issuers publish keys for encryption beside those for
// signatures, and of types that are unknown here.
func usableKeys(text []byte, algorithms []string) ([]jwkset.JWK, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil || set.Keys == nil {
		return nil, errNotKeySet
	}
	var usable []jwkset.JWK
	for _, raw := range set.Keys {
		key, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err == nil && isUsable(key, algorithms) {
			usable = append(usable, key)
		}
	}
	return usable, nil
}

func isUsable(key jwkset.JWK, algorithms []string) bool {
	about := key.Marshal()
	if about.USE != "" && about.USE != jwkset.UseSig {
		return false
	}
	if len(about.KEYOPS) > 0 && !slices.Contains(about.KEYOPS, jwkset.KeyOpsVerify) {
		return false
	}
	return slices.ContainsFunc(algorithmsOf(key.Key()), func(name string) bool {
		return slices.Contains(algorithms, name) && (about.ALG == "" || about.ALG.String() == name)
	})
}
