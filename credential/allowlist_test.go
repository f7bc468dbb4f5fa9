package credential

import (
	"strings"
	"testing"
)

func TestParsePrefix(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "3.130.254.46": "3.130.254.46/32", "0.0.0.0/0": "0.0.0.0/0", "2001:DB8::/32": "2001:db8::/32",
		"2001:db8::1": "2001:db8::1/128", "::ffff:10.0.0.1": "10.0.0.1/32", "::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:0:0/96": "0.0.0.0/0",
	} {
		if got, err := ParsePrefix(text); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "x", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0", "fe80::1%eth0", "fe80::1%eth0/64", "2001:db8::1/32",
		"::ffff:0:0/95", "::ffff:10.0.0.1/104", " 10.0.0.0/8", "10.0.0.0/8 ", "010.0.0.1",
	} {
		if got, err := ParsePrefix(text); err == nil {
			t.Errorf("%q was accepted as %s", text, got)
		}
	}
}

func FuzzParsePrefix(f *testing.F) {
	for _, seed := range strings.Fields("10.0.0.0/8 ::ffff:10.0.0.1 2001:db8::/32 fe80::1%x 1.2.3.4/33") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		prefix, err := ParsePrefix(text)
		if err != nil {
			return
		}
		if again, err := ParsePrefix(prefix.String()); err != nil || again != prefix {
			t.Errorf("%q is %s, which is %s, %v", text, prefix, again, err)
		}
		if prefix.Addr().Is4In6() || prefix != prefix.Masked() || prefix.Addr().Zone() != "" {
			t.Errorf("%q is %s, which is not canonical", text, prefix)
		}
	})
}
