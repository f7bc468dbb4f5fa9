package upstream

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// Address is where an upstream is.
type Address struct {
	network string // tcp or unix
	address string
	h2c     bool
	// Scheme and Host are what a URL to the upstream has. The host of a unix socket is
	// only a name.
	Scheme, Host string
}

var errAddress = errors.New("the upstream must be host:port, http://, https:// or h2c:// with a host, or unix//path")

// ParseAddress parses an upstream's address: host:port, http://, https:// or h2c:// with
// a host, or unix//path. Another path is refused: what is requested is for the guard to
// say.
func ParseAddress(text string) (Address, error) {
	if path, ok := strings.CutPrefix(text, "unix/"); ok {
		if !strings.HasPrefix(path, "/") {
			return Address{}, errAddress
		}
		return Address{network: "unix", address: path, Scheme: "http", Host: "unix"}, nil
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "http", text
		if _, port, err := net.SplitHostPort(text); err != nil || port == "" {
			return Address{}, errAddress
		}
	}
	ports := map[string]string{"http": "80", "h2c": "80", "https": "443"}
	port, known := ports[scheme]
	parsed, err := url.Parse("http://" + rest)
	if !known || err != nil || parsed.Hostname() == "" || parsed.Host != rest {
		return Address{}, errAddress
	}
	if parsed.Port() != "" {
		port = parsed.Port()
	}
	a := Address{network: "tcp", address: net.JoinHostPort(parsed.Hostname(), port), h2c: scheme == "h2c", Scheme: scheme, Host: rest}
	if a.h2c {
		a.Scheme = "http"
	}
	return a, nil
}

// Hostname returns the name or address to dial, "" for a unix socket.
func (a Address) Hostname() string {
	if a.network == "unix" {
		return ""
	}
	return a.name()
}

// name is the host that a certificate of the upstream has to be for.
func (a Address) name() string {
	host, _, _ := net.SplitHostPort(a.address)
	return host
}
