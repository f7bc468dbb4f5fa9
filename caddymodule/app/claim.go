package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// claims are the addresses that this process serves. A reload keeps those that it goes
// on to serve.
var claims = caddy.NewUsagePool()

// claim is an address that no other process with Hookgate serves while it is held.
type claim struct{ net.Listener }

// Destruct implements caddy.Destructor.
func (c claim) Destruct() error { return c.Close() }

// claimAddresses takes the addresses that servers listen on for this process alone, and
// returns what releaseAddresses gives back.
//
// Caddy opens its sockets with SO_REUSEPORT, so a second process on the same address
// starts without an error, and the kernel shares connections out among both: a vendor's
// token is then known to the one and not to the other, and every other event is refused
// for good. The name is one in Linux' abstract namespace of Unix sockets: it is as wide
// as the network namespace is, and gone with the process, however that ends. Any user of
// the machine can take it, so that only the claim of a process that could end us anyway
// counts.
func claimAddresses(servers *caddyhttp.App, log *zap.Logger) (held []string, err error) {
	if runtime.GOOS != "linux" {
		return nil, nil
	}
	addresses, err := addressesOf(servers)
	if err != nil {
		return nil, err
	}
	for _, at := range addresses {
		_, _, err := claims.LoadOrNew(at, func() (caddy.Destructor, error) {
			l, err := net.Listen("unix", claimName(at))
			return claim{l}, err
		})
		switch {
		case errors.Is(err, syscall.EADDRINUSE) && ofUs(claimName(at)):
			return held, fmt.Errorf("hookgate: another Hookgate serves %s; end it first, or use another address", at)
		case errors.Is(err, syscall.EADDRINUSE):
			log.Warn("another user's process holds the name by which two Hookgates on one address are noticed; they are not noticed now", zap.String("address", at))
		case err == nil:
			held = append(held, at)
		}
		// Where there are no such sockets, two on one address are not noticed.
	}
	return held, nil
}

func claimName(address string) string { return "@hookgate " + address }

// addressesOf returns every host and port that servers listen on, the unspecified host in
// all its spellings as "".
func addressesOf(servers *caddyhttp.App) (all []string, err error) {
	for _, server := range servers.Servers {
		for _, listen := range server.Listen {
			address, err := caddy.ParseNetworkAddressWithDefaults(listen, "tcp", caddyhttp.DefaultHTTPPort)
			if err != nil {
				return nil, err
			}
			if address.IsUnixNetwork() || address.StartPort == 0 {
				continue
			}
			if ip, err := netip.ParseAddr(address.Host); err == nil && ip.IsUnspecified() {
				address.Host = ""
			}
			for offset := range address.PortRangeSize() {
				all = append(all, address.JoinHostPort(offset))
			}
		}
	}
	return all, nil
}

// releaseAddresses gives claims back.
func releaseAddresses(held []string) error {
	var all []error
	for _, at := range held {
		_, err := claims.Delete(at)
		all = append(all, err)
	}
	return errors.Join(all...)
}
