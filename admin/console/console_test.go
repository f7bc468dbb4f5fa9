package console

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

// forbidden is what would turn text into markup or script, keep a secret where it
// outlives the page, or load from elsewhere. The policy forbids most of it as well.
var forbidden = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacent|document\.write|createContextualFragment|DOMParser|\beval\(|new Function|` +
	`localStorage|sessionStorage|indexedDB|document\.cookie|\.style\b|//[a-z0-9.-]+\.[a-z]{2,}/`)

var inline = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script[^>]*>[^<]|javascript:`)

var imported = regexp.MustCompile(`from '\./([a-z]+\.js)'`)

func TestFiles(t *testing.T) {
	entries, err := fs.ReadDir(assets, "assets")
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]string)
	for _, entry := range entries {
		text, err := fs.ReadFile(assets, "assets/"+entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		if mediaTypes[path.Ext(entry.Name())] == "" {
			t.Errorf("%s has no media type", entry.Name())
		}
		texts[entry.Name()] = string(text)
	}
	used := texts[index]
	for name, text := range texts {
		if found := forbidden.FindString(text); found != "" && path.Ext(name) != ".svg" {
			t.Errorf("%s has %q", name, found)
		}
		for _, m := range imported.FindAllStringSubmatch(text, -1) {
			if used += " console/" + m[1]; texts[m[1]] == "" {
				t.Errorf("%s imports %s", name, m[1])
			}
		}
	}
	for _, part := range []string{index, dialogs} {
		if found := inline.FindString(texts[part]); found != "" {
			t.Errorf("%s has %q, which the policy forbids", part, found)
		}
	}
	for name := range texts {
		if name != index && name != dialogs && !strings.Contains(used, "console/"+name) {
			t.Errorf("nothing uses %s", name)
		}
	}
}

func TestHeaders(t *testing.T) {
	mux := http.NewServeMux()
	Register(mux)
	ask := func(method, path string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	for path, mediaType := range map[string]string{
		"/console": "text/html", "/console/app.js": "text/javascript", "/console/style.css": "text/css", "/console/icon.svg": "image/svg+xml",
	} {
		a := ask("GET", path)
		if a.Code != 200 || a.Body.Len() == 0 || !strings.HasPrefix(a.Header().Get("Content-Type"), mediaType) {
			t.Fatalf("%s: %d, %v", path, a.Code, a.Header())
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache", "Cross-Origin-Opener-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
				"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		} {
			if got := a.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if path == "/console" && strings.Count(a.Body.String(), "<dialog ") < 6 {
			t.Error("the page lacks its dialogs")
		}
		etag := a.Header().Get("ETag")
		if again := ask("GET", path, "If-None-Match", etag); etag == "" || again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s: again with ETag %q: %d", path, etag, again.Code)
		}
		if old := ask("GET", path, "If-None-Match", `"older"`); old.Code != 200 || old.Body.Len() != a.Body.Len() {
			t.Errorf("%s: with another ETag: %d", path, old.Code)
		}
		if head := ask("HEAD", path); head.Code != 200 || head.Body.Len() != 0 {
			t.Errorf("%s: HEAD: %d with %d bytes", path, head.Code, head.Body.Len())
		}
		if part := ask("GET", path, "Range", "bytes=9999999-"); part.Code != 200 || part.Body.Len() != a.Body.Len() {
			t.Errorf("%s: a range: %d", path, part.Code)
		}
	}
}
