package signin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/hookgate/hookgate/internal/fetch"
)

// site is where the browser sees us.
type site struct {
	origin   string // scheme://host
	callback string
	secure   bool

	sessionCookie, attemptCookie string
}

// parseRedirect reads a configured redirect URL.
func parseRedirect(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("oidc: redirect_url is not a URL like https://hookgate.example.com" + CallbackPath)
	case !fetch.Secure(u):
		return nil, errors.New("oidc: redirect_url must begin with https://; http:// is for this machine only")
	}
	return u, nil
}

// site returns where the browser sees us, and false where it does so over plain HTTP from
// another machine: whoever is on the way could take the session.
func (s *SignIn) site(r *http.Request) (site, bool) {
	u := s.redirect
	if u == nil {
		u = &url.URL{Scheme: "http", Host: r.Host, Path: CallbackPath}
		if r.TLS != nil {
			u.Scheme = "https"
		}
	}
	if u.Host == "" || !fetch.Secure(u) {
		return site{}, false
	}
	at := site{origin: u.Scheme + "://" + u.Host, callback: u.String(), sessionCookie: "hookgate", attemptCookie: "hookgate-signin"}
	if u.Scheme == "https" {
		// With this prefix browsers take a cookie from this host alone, and only over TLS.
		at.secure, at.sessionCookie, at.attemptCookie = true, "__Host-hookgate", "__Host-hookgate-signin"
	}
	return at, true
}

// consoleHeader is on every request of our own page: no other site can add it without
// being asked for leave (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
const consoleHeader = "X-Hookgate-Console"

// allows reports whether a request can be one of our own page. A cookie comes along by
// itself, so whatever changes something has to show that it was our page that asked: by a
// header of our own, and by an Origin that is ours. None is foreign: browsers send one with
// all such requests.
func (at site) allows(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	origins, ours := r.Header.Values("Origin"), r.Header.Values(consoleHeader)
	return len(origins) == 1 && origins[0] == at.origin && len(ours) == 1 && ours[0] == "1"
}
