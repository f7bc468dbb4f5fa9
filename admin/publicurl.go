package admin

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// orInsecure ends what is wrong with a URL only because vendors would not take it.
const orInsecure = "; to try things out write insecure behind it"

// The rules are Pluggy's: it delivers only to https, on port 443, to a domain name
// that is neither an IP address nor internal, without credentials in the URL. Other
// vendors ask for less.
//
// No message repeats the URL: it may have a password in it.
var (
	errURLEmpty    = errors.New("public URL: it is empty")
	errURLSyntax   = errors.New("public URL: it is not an absolute URL like https://hooks.example.com")
	errURLUserinfo = errors.New("public URL: it must not contain a user name or password")
	errURLExtra    = errors.New("public URL: it must end with the path, without ? or #")
	errURLPath     = errors.New("public URL: the path may hold only letters, digits and . _ ~ - between single slashes")
	errURLPort     = errors.New("public URL: the port must be a number from 1 to 65535")

	errURLScheme        = errors.New("public URL: it must begin with https://; Pluggy delivers webhooks to nothing else" + orInsecure)
	errURLNot443        = errors.New("public URL: the port must be 443; Pluggy delivers webhooks to no other" + orInsecure)
	errURLAddress       = errors.New("public URL: the host must be a domain name; Pluggy delivers no webhooks to an IP address" + orInsecure)
	errURLInternal      = errors.New("public URL: the host must be a public domain name; vendors cannot reach localhost or internal names" + orInsecure)
	errURLHost          = errors.New("public URL: the host is not a domain name; write an international one in its xn-- form")
	errURLInsecureHTTPS = errors.New("public URL: it must begin with https:// or http://")
)

var (
	urlPath  = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	digits   = regexp.MustCompile(`^[0-9]+$`)
	ipv4Part = regexp.MustCompile(`^([0-9]+|0x[0-9a-f]*)$`)
)

// internalDomains are domains that no vendor can resolve: those of RFC 6761, 6762,
// 7686 and 8375, ICANN's for private use, and those of RFC 6762 appendix G, which
// networks use although nobody assigned them.
var internalDomains = []string{
	"local", "localhost", "internal", "invalid", "test", "onion", "home.arpa",
	"corp", "home", "intranet", "lan", "private", "localdomain",
}

// ParsePublicURL checks the address at which vendors reach the guard and returns it
// in the form that webhook_url begins with: lower-case, without default port and
// trailing slash. With insecure, for trying things out, http, other ports, IP
// addresses and localhost pass too.
func ParsePublicURL(raw string, insecure bool) (string, error) {
	if raw == "" {
		return "", errURLEmpty
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Hostname() == "" {
		return "", errURLSyntax
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	switch {
	case u.User != nil:
		return "", errURLUserinfo
	case strings.ContainsAny(raw, "?#"):
		return "", errURLExtra
	case !urlPath.MatchString(path) || slices.Contains(strings.Split(path, "/"), ".") || slices.Contains(strings.Split(path, "/"), ".."):
		return "", errURLPath
	case u.Port() != "" && !validPort(u.Port()):
		return "", errURLPort
	}
	host := strings.ToLower(u.Hostname())
	if insecure {
		err = checkInsecure(u.Scheme, host)
	} else {
		err = checkPublic(u.Scheme, host, u.Port())
	}
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + authority(u.Scheme, host, u.Port()) + path, nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && digits.MatchString(port)
}

func checkInsecure(scheme, host string) error {
	if scheme != "https" && scheme != "http" {
		return errURLInsecureHTTPS
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() == "" {
		return nil
	}
	return checkName(host)
}

func checkPublic(scheme, host, port string) error {
	if scheme != "https" {
		return errURLScheme
	}
	if port != "" && port != "443" {
		return errURLNot443
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	// A name whose last label is a number is read as an IPv4 address by many clients
	// (WHATWG URL), also in the forms 2130706433 and 0x7f.1.
	if _, err := netip.ParseAddr(host); err == nil || ipv4Part.MatchString(last) {
		return errURLAddress
	}
	if err := checkName(host); err != nil {
		return err
	}
	for _, domain := range internalDomains {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return errURLInternal
		}
	}
	if len(labels) < 2 {
		return errURLInternal
	}
	return nil
}

func checkName(host string) error {
	if len(host) > 253 {
		return errURLHost
	}
	for _, label := range strings.Split(host, ".") {
		if !dnsLabel.MatchString(label) {
			return errURLHost
		}
	}
	return nil
}

func authority(scheme, host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return host
	}
	return host + ":" + port
}
