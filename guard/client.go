package guard

import "net/netip"

// ParseClient reads a client's address: IPv4 written as IPv6 is the IPv4 address,
// and a zone, which means something on one machine only, is dropped. What is no
// address is the zero Addr, an unknown client.
func ParseClient(text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr.WithZone("").Unmap()
}
