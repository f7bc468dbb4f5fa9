package upstream

import (
	"context"
	"net"
	"time"
)

const (
	// redialInterval is how often a dial that failed is tried again: short against the
	// seconds after which vendors give up, long against the work of a dial.
	redialInterval = 100 * time.Millisecond
	// keepAlive is the interval of TCP's own probes on an idle connection.
	keepAlive = 30 * time.Second
)

// dialler makes connections to one address.
type dialler struct {
	to          Address
	dialer      net.Dialer
	tryDuration time.Duration
}

// dial dials, again and again until tryDuration is over: while Matcher restarts, a
// request waits for it. Nothing of the request has been sent then, so that this is
// safe for a POST, and the only thing that is ever tried twice.
func (d *dialler) dial(ctx context.Context) (net.Conn, error) {
	deadline := time.Now().Add(d.tryDuration)
	for {
		conn, err := d.dialer.DialContext(ctx, d.to.network, d.to.address)
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
