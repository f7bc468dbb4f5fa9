package upstream

import (
	"testing"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]struct{ network, address, url string }{
		"matcher:4018":             {"tcp", "matcher:4018", "http://matcher:4018"},
		"[::1]:4018":               {"tcp", "[::1]:4018", "http://[::1]:4018"},
		"http://matcher":           {"tcp", "matcher:80", "http://matcher"},
		"http://matcher:8080":      {"tcp", "matcher:8080", "http://matcher:8080"},
		"https://matcher.internal": {"tcp", "matcher.internal:443", "https://matcher.internal"},
		"https://[2001:db8::1]":    {"tcp", "[2001:db8::1]:443", "https://[2001:db8::1]"},
		"h2c://matcher:4018":       {"tcp", "matcher:4018", "http://matcher:4018"},
		"unix//run/matcher.sock":   {"unix", "/run/matcher.sock", "http://unix"},
	} {
		a, err := ParseAddress(text)
		if err != nil || a.network != want.network || a.address != want.address || a.Scheme+"://"+a.Host != want.url {
			t.Errorf("%s: %+v, %v", text, a, err)
		}
		if a.h2c != (text == "h2c://matcher:4018") {
			t.Errorf("%s: h2c %v", text, a.h2c)
		}
	}
	for _, text := range []string{
		"", "matcher", "matcher:", ":80:", "ftp://matcher", "http://", "http://matcher/", "http://matcher/path", "http://matcher?a",
		"http://user@matcher", "https://matcher#a", "unix/run/x", "unix/", "http://matcher:port", "http:matcher",
	} {
		if a, err := ParseAddress(text); err == nil {
			t.Errorf("%q was accepted as %+v", text, a)
		}
	}
}
