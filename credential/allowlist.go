package credential

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// MaxAllowedIPs bounds the addresses of one credential: its encoded key is in
// every keyring, and every request of the credential walks the list.
const MaxAllowedIPs = 64

var errPrefix = errors.New("want an IP address or a CIDR prefix without host bits")

// ParsePrefix parses an address, which stands for itself alone, or a CIDR prefix.
// IPv4 written as IPv6 is the IPv4 address, as which a request from there is seen.
// A prefix with bits beyond its length is refused: whether 10.0.0.1/8 means one
// host or sixteen million should not be guessed where it opens a door.
func ParsePrefix(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, errPrefix
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	if addr := prefix.Addr(); addr.Is4In6() {
		const mappedBits = 128 - 32
		if prefix.Bits() < mappedBits {
			return netip.Prefix{}, errPrefix
		}
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-mappedBits)
	}
	if prefix != prefix.Masked() {
		return netip.Prefix{}, errPrefix
	}
	return prefix, nil
}

// validAllowedIPs reports what is wrong with a list of prefixes, if anything.
func validAllowedIPs(prefixes []netip.Prefix) error {
	if len(prefixes) > MaxAllowedIPs {
		return fmt.Errorf("%w: at most %d allowed IPs", ErrInvalid, MaxAllowedIPs)
	}
	for _, prefix := range prefixes {
		if parsed, err := ParsePrefix(prefix.String()); err != nil || parsed != prefix {
			return fmt.Errorf("%w: an allowed IP is not a prefix in its canonical form", ErrInvalid)
		}
	}
	return nil
}

// CanonicalIPs sorts a list and drops repetitions, so that equal lists are stored
// and interned alike.
func CanonicalIPs(prefixes []netip.Prefix) []netip.Prefix {
	if len(prefixes) == 0 {
		return nil
	}
	sorted := slices.Clone(prefixes)
	slices.SortFunc(sorted, netip.Prefix.Compare)
	return slices.Compact(sorted)
}

// FormatIPs returns the stored form of a list: its prefixes with a space between.
func FormatIPs(prefixes []netip.Prefix) string {
	if len(prefixes) == 0 {
		return ""
	}
	var b strings.Builder
	for i, prefix := range prefixes {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(prefix.String())
	}
	return b.String()
}

// ParseIPs is the inverse of formatIPs. A list that cannot be read must not become
// an empty one, which would allow every address.
func ParseIPs(text string) ([]netip.Prefix, error) {
	if text == "" {
		return nil, nil
	}
	var prefixes []netip.Prefix
	for word := range strings.SplitSeq(text, " ") {
		prefix, err := ParsePrefix(word)
		if err != nil {
			return nil, ErrCorrupt
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}
