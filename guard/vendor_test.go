package guard

import (
	"net/netip"
	"testing"
)

func TestParseClient(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1", "fe80::1%eth0": "fe80::1",
		"::ffff:192.0.2.1%x": "192.0.2.1",
	} {
		if got := ParseClient(text); got != netip.MustParseAddr(want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, text := range []string{"", "@", "localhost", "192.0.2.1:80", "[::1]", "192.0.2.0/24", "unknown"} {
		if got := ParseClient(text); got.IsValid() {
			t.Errorf("%s: %s", text, got)
		}
	}
}
