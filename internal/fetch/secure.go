package fetch

import (
	"net/netip"
	"net/url"
)

// Secure reports whether what goes to a URL is seen by nobody on the way: https, or http to
// this machine itself.
func Secure(u *url.URL) bool {
	if u.Scheme == "http" {
		host := u.Hostname()
		addr, err := netip.ParseAddr(host)
		return host == "localhost" || err == nil && addr.IsLoopback()
	}
	return u.Scheme == "https"
}
