package guard

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestCanonicalPath(t *testing.T) {
	for _, p := range []string{
		"/", "/a", "/a/", "/v1/exceptions/7d4f/callback", "/v1/discovery/webhooks/pluggy/mwh_x", "/.well-known/x", "/a..b/...c", "/a~b!$&'()*+,=:@",
	} {
		if !canonicalPath(p) {
			t.Errorf("%q was refused", p)
		}
	}
	for _, p := range []string{
		"", "*", "a", "example.com:443", "http://example.com/a", "//", "//a", "/a//b", "/a//", "/.", "/..", "/./a", "/a/.", "/a/..", "/a/../b",
		"/%61", "/a%2Fb", "/a%00", "/%", "/a;b", "/a;", "/a\\b", "/a b", "/a\x00", "/a\x7f", "/a\x80", "/é", "/a\tb", "/a\r\nb",
	} {
		if canonicalPath(p) {
			t.Errorf("%q was let through", p)
		}
	}
}

// FuzzCanonicalPath checks what the guard relies on: a path it lets through is the
// same to net/url and to path.Clean, the two readings that Go programs use.
func FuzzCanonicalPath(f *testing.F) {
	for _, seed := range []string{"/", "/a/b", "/a//b", "/../a", "/a/.", "/a%2fb", "/a;b", "/a\\b", "*", "/a?b", "/a#b", "/a/", "//"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if !canonicalPath(p) {
			return
		}
		if strings.ContainsAny(p, "%;\\") {
			t.Fatalf("%q was let through", p)
		}
		cleaned := path.Clean(p)
		if strings.HasSuffix(p, "/") && p != "/" {
			cleaned += "/"
		}
		if cleaned != p {
			t.Fatalf("%q is %q once cleaned", p, cleaned)
		}
		if strings.ContainsAny(p, "?#") {
			return // splitTarget cut there
		}
		u, err := url.ParseRequestURI(p)
		if err != nil || u.Path != p || u.RawQuery != "" || u.Host != "" {
			t.Fatalf("net/url reads %q as %#v, %v", p, u, err)
		}
	})
}
