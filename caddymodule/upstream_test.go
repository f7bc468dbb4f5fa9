package caddymodule

import "testing"

func TestParseUpstream(t *testing.T) {
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
		u, err := parseUpstream(text)
		if err != nil || u.network != want.network || u.address != want.address || u.url.String() != want.url {
			t.Errorf("%s: %+v, %v", text, u, err)
		}
		if u.h2c != (text == "h2c://matcher:4018") {
			t.Errorf("%s: h2c %v", text, u.h2c)
		}
	}
	for _, text := range []string{
		"", "matcher", "matcher:", ":80:", "ftp://matcher", "http://", "http://matcher/", "http://matcher/path", "http://matcher?a",
		"http://user@matcher", "https://matcher#a", "unix/run/x", "unix/", "http://matcher:port", "http:matcher",
	} {
		if u, err := parseUpstream(text); err == nil {
			t.Errorf("%q was accepted as %+v", text, u)
		}
	}
}
