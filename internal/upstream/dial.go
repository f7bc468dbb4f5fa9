package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	// redialInterval is how often a dial that failed is tried again: short against the
	// seconds after which vendors give up, long against the work of a dial.
	redialInterval = 100 * time.Millisecond
	// keepAlive is the interval of TCP's own probes on an idle connection.
	keepAlive = 30 * time.Second
	// attemptDelay is how long one address of a name may be silent before the next one is
	// tried beside it (RFC 8305, section 5).
	attemptDelay = 250 * time.Millisecond
)

// dialler makes connections to one upstream.
type dialler struct {
	to                       Address
	tryDuration, dialTimeout time.Duration
	dialer                   net.Dialer
	tls                      *tls.Config // nil: plain
	lookup                   func(ctx context.Context, network, host string) ([]netip.Addr, error)
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
	if d.to.network == "unix" {
		return d.open(ctx, d.to.address)
	}
	host, port, err := net.SplitHostPort(d.to.address)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return d.open(ctx, d.to.address)
	}
	found, err := d.lookup(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	addresses := make([]string, len(found))
	for i, ip := range alternating(found) {
		addresses[i] = net.JoinHostPort(ip.String(), port)
	}
	return d.first(ctx, addresses)
}

// alternating puts addresses of the two families in turns, beginning with the family of
// the first one: where one family leads nowhere, the second attempt is of the other.
func alternating(addresses []netip.Addr) []netip.Addr {
	var families [2][]netip.Addr
	for _, ip := range addresses {
		ip = ip.Unmap()
		family := 0
		if len(families[0]) > 0 && ip.Is4() != families[0][0].Is4() {
			family = 1
		}
		families[family] = append(families[family], ip)
	}
	turns := make([]netip.Addr, 0, len(addresses))
	for i := 0; len(turns) < len(addresses); i++ {
		for _, family := range families {
			if i < len(family) {
				turns = append(turns, family[i])
			}
		}
	}
	return turns
}

var errNoAddress = errors.New("the name has no address")

// first returns the connection that is open first. An address that is silent does not
// hold up the others; net.Dialer would give each at least two seconds, one after the
// other, which is more than there is for all.
func (d *dialler) first(ctx context.Context, addresses []string) (net.Conn, error) {
	switch len(addresses) {
	case 0:
		return nil, errNoAddress
	case 1:
		return d.open(ctx, addresses[0])
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result)
	begin := func(address string) {
		conn, err := d.open(ctx, address)
		select {
		case results <- result{conn, err}:
		case <-ctx.Done(): // another one was first, or the time is over
			if err == nil {
				_ = conn.Close()
			}
		}
	}
	// All of them have their turn in the first half of the time.
	delay := min(attemptDelay, d.dialTimeout/time.Duration(2*len(addresses)))
	next := time.NewTimer(delay)
	defer next.Stop()
	go begin(addresses[0])
	var failure error
	for begun, ended := 1, 0; ended < len(addresses); {
		turn := false
		select {
		case <-ctx.Done():
			if failure == nil {
				failure = ctx.Err()
			}
			return nil, failure
		case r := <-results:
			if r.err == nil {
				return r.conn, nil
			}
			if failure == nil {
				failure = r.err
			}
			ended++
			turn = true
		case <-next.C:
			turn = true
		}
		if turn && begun < len(addresses) {
			go begin(addresses[begun])
			begun++
			next.Reset(delay)
		}
	}
	return nil, failure
}

// open returns a connection to one address that is ready for a request: with TLS the
// handshake is a part of it, since until its end nothing of the request can be sent.
func (d *dialler) open(ctx context.Context, address string) (net.Conn, error) {
	conn, err := d.dialer.DialContext(ctx, d.to.network, address)
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
