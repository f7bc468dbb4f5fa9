package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"
)

// Options say how an upstream is to be talked to.
type Options struct {
	// TryDuration is how long to go on dialling, and DialTimeout how long one dial may
	// take.
	TryDuration, DialTimeout time.Duration
	// ResponseHeaderTimeout bounds the time from the request to the header of its answer.
	ResponseHeaderTimeout time.Duration
	// RootCAs are the authorities to trust for https instead of the system's, if not nil.
	RootCAs *x509.CertPool
}

const (
	// There is one upstream, and every idle connection kept is a handshake spared.
	maxIdle = 1024
	// idleTimeout is below the two minutes after which Matcher closes an idle
	// connection: one that closes as we send on it loses the request.
	idleTimeout = time.Minute
)

// Transport is an http.RoundTripper to one upstream. Small requests over plain HTTP/1.1
// take the direct way, on which the goroutine of the request writes and reads the
// connection itself: the standard library's transport has two goroutines for each
// connection, and waking them costs more than the guard. All else is the standard
// library's.
type Transport struct {
	dialler  dialler
	timeout  time.Duration // for the header of an answer
	direct   bool
	idle     idle
	standard *http.Transport
}

// New returns a transport to an upstream. It does not dial.
func New(to Address, options Options) *Transport {
	t := &Transport{
		dialler: dialler{to, net.Dialer{Timeout: options.DialTimeout, KeepAlive: keepAlive}, options.TryDuration},
		timeout: options.ResponseHeaderTimeout,
		direct:  canTellClosed && to.Scheme == "http" && !to.h2c,
	}
	t.standard = &http.Transport{
		DialContext:           func(ctx context.Context, _, _ string) (net.Conn, error) { return t.dialler.dial(ctx) },
		MaxIdleConns:          maxIdle,
		MaxIdleConnsPerHost:   maxIdle,
		IdleConnTimeout:       idleTimeout,
		ResponseHeaderTimeout: options.ResponseHeaderTimeout,
		ExpectContinueTimeout: time.Second,
		// Bodies go through as they are.
		DisableCompression: true,
		Protocols:          new(http.Protocols),
	}
	if to.h2c {
		t.standard.Protocols.SetUnencryptedHTTP2(true)
	} else {
		t.standard.Protocols.SetHTTP1(true)
		t.standard.Protocols.SetHTTP2(to.Scheme == "https")
	}
	if options.RootCAs != nil {
		t.standard.TLSClientConfig = &tls.Config{RootCAs: options.RootCAs, MinVersion: tls.VersionTLS12}
	}
	return t
}

// RoundTrip implements http.RoundTripper. An error of a body that could not be read is
// returned as it is.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.direct && small(r) {
		return t.exchange(r)
	}
	return t.standard.RoundTrip(r)
}

// Close closes idle connections, and those in use when their answers have been read.
func (t *Transport) Close() {
	t.idle.close()
	t.standard.CloseIdleConnections()
}
