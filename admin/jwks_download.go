package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"

	"github.com/MicahParks/jwkset"
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

// newKeySetClient returns a client that keeps no connection, since it has a request
// every few minutes at most, and follows no redirect: it could lead off https.
func newKeySetClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			DialContext:       (&net.Dialer{Timeout: keySetTimeout}).DialContext,
			ForceAttemptHTTP2: true,
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// download reads the key set and returns the keys in it that can be used.
func (s *keySet) download(ctx context.Context) ([]jwkset.JWK, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, errors.New("the URL is not valid")
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := s.client.Do(r)
	if err != nil {
		var outer *url.Error // its text has the URL, and that may have a key in its query
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxKeySet:
		return nil, fmt.Errorf("larger than %d bytes", maxKeySet)
	}
	return usableKeys(text, s.algorithms)
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
