package fetch

import (
	"net/url"
	"testing"
)

func TestSecure(t *testing.T) {
	for text, want := range map[string]bool{
		"https://idp.example.com": true, "https://127.0.0.1": true,
		"http://localhost:8081": true, "http://127.0.0.1": true, "http://127.9.9.9:80/x": true, "http://[::1]:8081": true, "http://[::ffff:127.0.0.1]": true,
		"http://idp.example.com": false, "http://localhost.example.com": false, "http://127.0.0.1.example.com": false, "http://10.0.0.1": false, "http://0.0.0.0": false,
		"http://LOCALHOST": false, "ftp://localhost": false, "//localhost": false,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Secure(u); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}
