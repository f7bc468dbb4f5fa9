// Package console is the page on which operators manage credentials: static files,
// which ask the admin API from within the browser. It needs no token and knows no
// secret; whoever loads it without a JWT sees a form.
package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// Path is where the page is; its files are below.
const Path = "/console"

// The page is index.html with dialogs.html in the place of the mark.
const (
	index       = "index.html"
	dialogs     = "dialogs.html"
	dialogsMark = "<!-- dialogs -->\n"
)

//go:embed assets
var assets embed.FS

// mediaTypes are given by hand: what the system's tables say differs from one machine
// to the next, and browsers run no script of a wrong type.
var mediaTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// policy lets the page load its own files and ask its own server, and nothing else:
// what gets into the page as text cannot run, and what runs cannot send a token away.
// Trusted types refuse every way of turning text into markup or script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Register adds the page to a router. Each file is a route of its own, so that
// everything else below Path is refused as the router refuses it.
func Register(mux *http.ServeMux) {
	directory, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // the directory is in the binary
	}
	entries, err := fs.ReadDir(directory, ".")
	if err != nil {
		panic(err)
	}
	for _, entry := range entries {
		switch name := entry.Name(); name {
		case dialogs:
		case index:
			page := bytes.Replace(read(directory, index), []byte(dialogsMark), read(directory, dialogs), 1)
			mux.Handle("GET "+Path, newFile(index, page))
			mux.HandleFunc("GET "+Path+"/{$}", withoutSlash)
		default:
			mux.Handle("GET "+Path+"/"+name, newFile(name, read(directory, name)))
		}
	}
}

// withoutSlash sends a browser to the page, whose links are relative to where it is. So is this
// one: a proxy may have put a path in front.
func withoutSlash(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", ".."+Path)
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusFound)
}

func read(directory fs.FS, name string) []byte {
	text, err := fs.ReadFile(directory, name)
	if err != nil {
		panic(err) // the file is in the binary
	}
	return text
}

// file is one file of the page.
type file struct {
	mediaType, etag string
	text            []byte
}

func newFile(name string, text []byte) *file {
	digest := sha256.Sum256(text)
	return &file{
		mediaType: mediaTypes[path.Ext(name)],
		etag:      `"` + base64.RawURLEncoding.EncodeToString(digest[:16]) + `"`,
		text:      text,
	}
}

// ServeHTTP serves GET and HEAD.
func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// Asked for every time, so that a new version is never half the old one.
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.etag)
	if r.Header.Get("Range") != "" { // the files are small: a part of one is the whole of it
		r = r.Clone(r.Context())
		r.Header.Del("Range")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.text))
}
