package dial

import (
	"net/netip"
	"strings"
	"testing"
)

// TestAlternating: the families of addresses take turns.
func TestAlternating(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"1.1.1.1 2.2.2.2":             "1.1.1.1 2.2.2.2",
		"::1 ::2 1.1.1.1":             "::1 1.1.1.1 ::2",
		"1.1.1.1 ::1 ::2":             "1.1.1.1 ::1 ::2",
		"::ffff:1.1.1.1 2.2.2.2":      "1.1.1.1 2.2.2.2",
		"1.1.1.1 2.2.2.2 3.3.3.3 ::1": "1.1.1.1 ::1 2.2.2.2 3.3.3.3",
	} {
		var addresses []netip.Addr
		for _, ip := range strings.Fields(in) {
			addresses = append(addresses, netip.MustParseAddr(ip))
		}
		var got []string
		for _, ip := range alternating(addresses) {
			got = append(got, ip.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v", in, got)
		}
	}
}
