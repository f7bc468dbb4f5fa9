package caddymodule

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// upstream is where a proxy sends requests.
type upstream struct {
	network string // tcp or unix
	address string
	url     *url.URL // scheme and host, as the transport wants them
	h2c     bool
}

var errUpstream = errors.New("the upstream must be host:port, http://, https:// or h2c:// with a host, or unix//path")

// parseUpstream parses an upstream's address. A path is refused: what is requested is
// for the guard to say.
func parseUpstream(text string) (upstream, error) {
	if path, ok := strings.CutPrefix(text, "unix/"); ok {
		if !strings.HasPrefix(path, "/") {
			return upstream{}, errUpstream
		}
		// The host is only a name for the pool of connections.
		return upstream{network: "unix", address: path, url: &url.URL{Scheme: "http", Host: "unix"}}, nil
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "http", text
		if _, port, err := net.SplitHostPort(text); err != nil || port == "" {
			return upstream{}, errUpstream
		}
	}
	ports := map[string]string{"http": "80", "h2c": "80", "https": "443"}
	port, known := ports[scheme]
	parsed, err := url.Parse("http://" + rest)
	if !known || err != nil || parsed.Hostname() == "" || parsed.Host != rest {
		return upstream{}, errUpstream
	}
	if parsed.Port() != "" {
		port = parsed.Port()
	}
	u := upstream{network: "tcp", address: net.JoinHostPort(parsed.Hostname(), port), url: &url.URL{Scheme: scheme, Host: rest}}
	if u.h2c = scheme == "h2c"; u.h2c {
		u.url.Scheme = "http"
	}
	return u, nil
}

// redialInterval is how often a dial that failed is tried again: short against the
// seconds after which vendors give up, long against the work of a dial.
const redialInterval = 100 * time.Millisecond

// transport returns the way to the upstream.
func (p *Proxy) transport(u upstream) (*http.Transport, error) {
	dialer := &net.Dialer{Timeout: time.Duration(p.DialTimeout), KeepAlive: 30 * time.Second}
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialUntil(ctx, dialer, u, time.Now().Add(time.Duration(p.TryDuration)))
		},
		// There is one upstream, and every idle connection kept is a handshake spared.
		MaxIdleConns:        1024,
		MaxIdleConnsPerHost: 1024,
		// Below the two minutes after which Matcher closes an idle connection: one that
		// closes as we send on it loses the request.
		IdleConnTimeout:       time.Minute,
		ResponseHeaderTimeout: time.Duration(p.ResponseHeaderTimeout),
		ExpectContinueTimeout: time.Second,
		// Bodies go through as they are.
		DisableCompression: true,
		Protocols:          new(http.Protocols),
	}
	switch {
	case u.h2c:
		t.Protocols.SetUnencryptedHTTP2(true)
	default:
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(u.url.Scheme == "https")
	}
	if p.TLSCA == "" {
		return t, nil
	}
	if u.url.Scheme != "https" {
		return nil, errors.New("tls_ca needs an https:// upstream")
	}
	pem, err := os.ReadFile(p.TLSCA)
	if err != nil {
		return nil, fmt.Errorf("read tls_ca: %w", err)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("tls_ca holds no PEM certificate")
	}
	return t, nil
}

// dialUntil dials, again and again until the deadline: while Matcher restarts, a
// request waits for it. Nothing of the request has been sent then, so that this is
// safe for a POST, and the only thing that is ever tried twice.
func dialUntil(ctx context.Context, dialer *net.Dialer, u upstream, deadline time.Time) (net.Conn, error) {
	for {
		conn, err := dialer.DialContext(ctx, u.network, u.address)
		if err == nil || !time.Now().Add(redialInterval).Before(deadline) {
			return conn, err
		}
		pause := time.NewTimer(redialInterval)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		case <-pause.C:
		}
	}
}
