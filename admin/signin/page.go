package signin

import (
	"bytes"
	_ "embed"
	"html/template"
	"math"
	"net/http"
	"strconv"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// content is what a page shows.
type content struct {
	GoOn                                 bool // to the console, by itself
	Title, Text, Detail, Code, RequestID string
}

// goOn is the page after a sign-in. A cookie that is SameSite=Strict does not come along
// while the browser follows a redirect from another site, so it is the page that leads on.
var goOn = content{GoOn: true, Title: "Signed in", Text: "You are signed in."}

// WriteFailure writes the page that says why a sign-in came to nothing.
func (f *Failure) WriteFailure(w http.ResponseWriter, requestID string) {
	protect(w)
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(f.RetryAfter.Seconds())))))
	}
	writePage(w, f.Problem.Status, content{
		Title: "Not signed in", Text: f.Problem.Meaning, Detail: f.Detail, Code: f.Problem.Code, RequestID: requestID,
	})
}

// protect keeps what the sign-in answers out of caches, frames and the Referer: its address
// has a code in it.
func protect(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}

func writePage(w http.ResponseWriter, status int, c content) {
	var text bytes.Buffer
	if err := page.Execute(&text, c); err != nil {
		panic(err) // a template of ours with texts in it
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // a browser that has gone away
}
