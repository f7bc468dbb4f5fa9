package admin_test

import (
	"strings"
	"testing"

	"github.com/hookgate/hookgate/admin"
)

func TestParsePublicURL(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want string // "" where it is refused
		says string
	}{
		{"https://hooks.example.com", "https://hooks.example.com", ""},
		{"https://hooks.example.com/", "https://hooks.example.com", ""},
		{"HTTPS://Hooks.Example.COM:443", "https://hooks.example.com", ""},
		{"https://hooks.example.com:", "https://hooks.example.com", ""},
		{"https://hooks.example.com/in/v2/", "https://hooks.example.com/in/v2", ""},
		{"https://xn--bcher-kva.example", "https://xn--bcher-kva.example", ""},
		{"https://3scale.example", "https://3scale.example", ""},

		{"", "", "empty"},
		{"hooks.example.com", "", "absolute"},
		{"https:hooks.example.com", "", "absolute"},
		{"https:///path", "", "absolute"},
		{"https://:443", "", "absolute"},
		{"://", "", "absolute"},
		{"https://hooks.example.com:port", "", "absolute"},
		{"http://hooks.example.com", "", "https"},
		{"ftp://hooks.example.com", "", "https"},
		{"https://hooks.example.com:8443", "", "443"},
		{"https://hooks.example.com:0", "", "1 to 65535"},
		{"https://hooks.example.com:70000", "", "1 to 65535"},
		{"https://user@hooks.example.com", "", "password"},
		{"https://user:hunter2@hooks.example.com", "", "password"},
		{"https://hooks.example.com?", "", "?"},
		{"https://hooks.example.com?a=b", "", "?"},
		{"https://hooks.example.com#", "", "#"},
		{"https://hooks.example.com#x", "", "#"},
		{"https://hooks.example.com//x", "", "path"},
		{"https://hooks.example.com/a//", "", "path"},
		{"https://hooks.example.com/../x", "", "path"},
		{"https://hooks.example.com/./x", "", "path"},
		{"https://hooks.example.com/%61", "", "path"},
		{"https://hooks.example.com/a b", "", "path"},
		{"https://hooks.example.com/{x}", "", "path"},
		{"https://hooks.example.com/a;b", "", "path"},
		{`https://hooks.example.com/a\b`, "", "path"},
		{"https://203.0.113.7", "", "IP address"},
		{"https://[2001:db8::1]", "", "IP address"},
		{"https://2130706433", "", "IP address"},
		{"https://0x7f.1", "", "IP address"},
		{"https://127.1", "", "IP address"},
		{"https://localhost", "", "localhost"},
		{"https://hooks", "", "public domain name"},
		{"https://hooks.localhost", "", "public domain name"},
		{"https://hooks.svc.cluster.local", "", "public domain name"},
		{"https://metadata.google.INTERNAL", "", "public domain name"},
		{"https://hooks.lan", "", "public domain name"},
		{"https://hooks.corp", "", "public domain name"},
		{"https://nas.home.arpa", "", "public domain name"},
		{"https://hooks.test", "", "public domain name"},
		{"https://hooks.onion", "", "public domain name"},
		{"https://hooks.arpa", "https://hooks.arpa", ""},
		{"https://lan.example.com", "https://lan.example.com", ""},
		{"https://hooks.example.com.", "", "not a domain name"},
		{"https://hooks..example.com", "", "not a domain name"},
		{"https://-hooks.example.com", "", "not a domain name"},
		{"https://hooks_1.example.com", "", "not a domain name"},
		{"https://bücher.example", "", "xn--"},
		{"https://*.example.com", "", "not a domain name"},
		{"https://" + strings.Repeat("a", 64) + ".example", "", "not a domain name"},
		{"https://" + strings.Repeat("a.", 130) + "example", "", "not a domain name"},
	} {
		checkPublicURL(t, c.raw, false, c.want, c.says)
	}
}

func TestParseInsecurePublicURL(t *testing.T) {
	for _, c := range []struct{ raw, want, says string }{
		{"http://localhost:8080", "http://localhost:8080", ""},
		{"http://127.0.0.1:8080/", "http://127.0.0.1:8080", ""},
		{"http://[::1]:8080/x", "http://[::1]:8080/x", ""},
		{"http://hooks:80", "http://hooks", ""},
		{"https://hooks.internal:8443", "https://hooks.internal:8443", ""},
		{"https://hooks.example.com", "https://hooks.example.com", ""},
		{"ws://localhost", "", "http://"},
		{"http://[fe80::1%25eth0]", "", "not a domain name"},
		{"http://a b", "", "absolute"},
		{"http://user@localhost", "", "password"},
		{"http://localhost?x", "", "?"},
		{"http://localhost:99999", "", "1 to 65535"},
	} {
		checkPublicURL(t, c.raw, true, c.want, c.says)
	}
}

func checkPublicURL(t *testing.T, raw string, insecure bool, want, says string) {
	t.Helper()
	got, err := admin.ParsePublicURL(raw, insecure)
	switch {
	case want != "" && (err != nil || got != want):
		t.Errorf("%q: got %q, %v; want %q", raw, got, err, want)
	case want == "" && (err == nil || !strings.Contains(err.Error(), says)):
		t.Errorf("%q: got %q, %v; want an error about %q", raw, got, err, says)
	case err != nil && strings.Contains(err.Error(), "hunter2"):
		t.Errorf("%q: the error repeats the password: %v", raw, err)
	}
}
