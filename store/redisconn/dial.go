package redisconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/hookgate/hookgate/internal/authorities"
	"github.com/hookgate/hookgate/internal/dial"
)

const dialTimeout = time.Second

// keepAlive finds out within half a minute that the other end is gone, and lets no
// firewall forget a connection that only waits.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// lookup is replaced by tests.
var lookup dial.Lookup = net.DefaultResolver.LookupNetIP

// dial returns how a connection is made. What is in files is read for each: certificates
// are replaced while we run. Of a name with several addresses a silent one does not hold up
// the others.
func (s Server) dial(secure bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: dialTimeout, KeepAliveConfig: keepAlive}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		open := dial.Open(plain.DialContext)
		if secure {
			config, err := s.readTLS()
			if err != nil {
				return nil, err
			}
			if config.ServerName == "" {
				if config.ServerName, _, err = net.SplitHostPort(addr); err != nil {
					return nil, err
				}
			}
			open = (&tls.Dialer{NetDialer: plain, Config: config}).DialContext
		}
		return dial.Any(ctx, lookup, network, addr, dialTimeout, open)
	}
}

// readTLS reads the files for a connection. Without a name of the server each one is
// verified by the name or address that it is dialled at.
func (s Server) readTLS() (*tls.Config, error) {
	roots, err := authorities.Read(s.TLSCA)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.TLSServerName, RootCAs: roots}
	if s.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("read the TLS client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// Dead reports whether err is of a connection that was open, as far as we knew, and led
// nowhere: others that were opened with it may be no better.
func Dead(err error) bool {
	var network *net.OpError
	if err == nil || IsServerReply(err) || errors.Is(err, context.Canceled) || errors.As(err, &network) && network.Op == "dial" {
		return false
	}
	var timeout net.Error
	return errors.As(err, &timeout) || isEnd(err)
}
