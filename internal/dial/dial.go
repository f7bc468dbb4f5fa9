// Package dial opens connections to a name with several addresses, of which some may be
// silent.
package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// attemptDelay is how long one address of a name may be silent before the next one is
// tried beside it (RFC 8305, section 5).
const attemptDelay = 250 * time.Millisecond

// Open opens a connection to one address, ready for use.
type Open func(ctx context.Context, network, address string) (net.Conn, error)

// Lookup returns the addresses of a name, as net.Resolver.LookupNetIP does.
type Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Any opens a connection to a host and port, or to a unix socket. Of a name all addresses
// have their turn within patience, and the first that is open counts.
func Any(ctx context.Context, lookup Lookup, network, address string, patience time.Duration, open Open) (net.Conn, error) {
	if network == "unix" {
		return open(ctx, network, address)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return open(ctx, network, address)
	}
	found, err := lookup(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	addresses := make([]string, len(found))
	for i, ip := range alternating(found) {
		addresses[i] = net.JoinHostPort(ip.String(), port)
	}
	return first(ctx, network, addresses, patience, open)
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
func first(ctx context.Context, network string, addresses []string, patience time.Duration, open Open) (net.Conn, error) {
	switch len(addresses) {
	case 0:
		return nil, errNoAddress
	case 1:
		return open(ctx, network, addresses[0])
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result)
	begin := func(address string) {
		conn, err := open(ctx, network, address)
		select {
		case results <- result{conn, err}:
		case <-ctx.Done(): // another one was first, or the time is over
			if err == nil {
				_ = conn.Close()
			}
		}
	}
	// All of them have their turn in the first half of the time.
	delay := min(attemptDelay, patience/time.Duration(2*len(addresses)))
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
