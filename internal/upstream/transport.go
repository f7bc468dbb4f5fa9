package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
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
		dialler: dialler{
			to: to, tryDuration: options.TryDuration, dialTimeout: options.DialTimeout,
			dialer: net.Dialer{KeepAlive: keepAlive}, lookup: net.DefaultResolver.LookupNetIP,
		},
		timeout: options.ResponseHeaderTimeout,
		direct:  canTellClosed && to.Scheme == "http" && !to.h2c,
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return t.dialler.dial(ctx) }
	t.standard = &http.Transport{
		DialContext:           dial,
		MaxIdleConns:          maxIdle,
		MaxIdleConnsPerHost:   maxIdle,
		IdleConnTimeout:       idleTimeout,
		ResponseHeaderTimeout: options.ResponseHeaderTimeout,
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
	if to.Scheme == "https" {
		// The handshake is a part of the dial: it has its time limit, and is tried again.
		t.standard.DialTLSContext = dial
		t.dialler.tls = &tls.Config{
			ServerName: to.name(), RootCAs: options.RootCAs, MinVersion: tls.VersionTLS12,
			NextProtos: []string{"h2", "http/1.1"},
		}
	}
	return t
}

// RoundTrip implements http.RoundTripper. An error of a body that could not be read is
// returned as it is; of any other NotSent tells whether the upstream may have got the
// request.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(r.Header["Expect"]) > 0 {
		// Reading the body asks the client for it. An upstream that is asked whether it wants
		// it, and does not know the question, would hold up the request.
		r = r.WithContext(r.Context())
		r.Header = maps.Clone(r.Header)
		delete(r.Header, "Expect")
	}
	if t.TakesDirectly(r) {
		return t.exchange(r, traced(r.Context()))
	}
	return t.forward(r)
}

// Interim is told of answers before the answer. Its error ends the exchange.
type Interim func(status int, header textproto.MIMEHeader) error

// traced returns the interest of whoever sent a request in interim answers; nil: there is
// none.
func traced(ctx context.Context) Interim {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil {
		return trace.Got1xxResponse
	}
	return nil
}

// TakesDirectly reports whether a request can take the direct way.
func (t *Transport) TakesDirectly(r *http.Request) bool { return t.direct && small(r) }

// TakesMessages reports whether requests without their net/http form, of at most so many
// bytes of body, can be asked.
func (t *Transport) TakesMessages(body int) bool { return t.direct && body <= maxSmall }

// Direct sends a request as RoundTrip does, on the direct way. Use it only for what
// TakesDirectly.
func (t *Transport) Direct(r *http.Request, interim Interim) (*http.Response, error) {
	return t.exchange(r, interim)
}

// Close closes idle connections, and those in use when their answers have been read.
func (t *Transport) Close() {
	t.idle.close()
	t.standard.CloseIdleConnections()
}
