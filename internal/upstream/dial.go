package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/hookgate/hookgate/internal/dial"
)

const (
	// redialInterval is how often a dial that failed is tried again: short against the
	// seconds after which vendors give up, long against the work of a dial.
	redialInterval = 100 * time.Millisecond
	// keepAlive is the interval of TCP's own probes on an idle connection.
	keepAlive = 30 * time.Second
)

// dialler makes connections to one upstream.
type dialler struct {
	to                       Address
	tryDuration, dialTimeout time.Duration
	dialer                   net.Dialer
	tls                      *tls.Config // nil: plain
	lookup                   dial.Lookup
}

// dial dials, again and again until tryDuration is over: while Matcher restarts, a
// request waits for it. Nothing of the request has been sent then, so that this is
// safe for a POST, and the only thing that is ever tried twice. An error is Unsent,
// or that of ctx.
func (d *dialler) dial(ctx context.Context) (net.Conn, error) {
	deadline := time.Now().Add(d.tryDuration)
	for {
		conn, err := d.attempt(ctx)
		if err == nil {
			return conn, nil
		}
		if cause := ctx.Err(); cause != nil {
			return nil, cause
		}
		if !canChange(err) || !time.Now().Add(redialInterval).Before(deadline) {
			return nil, &Unsent{err}
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

// canChange reports whether the next attempt may succeed where this one failed. A
// certificate stays what it is.
func canChange(err error) bool {
	var certificate *tls.CertificateVerificationError
	return !errors.As(err, &certificate)
}

// attempt dials once, all that is needed for it within dialTimeout.
func (d *dialler) attempt(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.dialTimeout)
	defer cancel()
	return dial.Any(ctx, d.lookup, d.to.network, d.to.address, d.dialTimeout, d.open)
}

// open returns a connection to one address that is ready for a request: with TLS the
// handshake is a part of it, since until its end nothing of the request can be sent.
func (d *dialler) open(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dialer.DialContext(ctx, network, address)
	if err != nil || d.tls == nil {
		return conn, err
	}
	secured := tls.Client(conn, d.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secured, nil
}
