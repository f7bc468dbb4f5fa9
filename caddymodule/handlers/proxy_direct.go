package handlers

import (
	"io"
	"mime"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hookgate/hookgate/internal/upstream"
)

// direct sends a request of the lane upstream, and its answer to the client: the same as
// forward, by fewer hands than the standard library's proxy has. The guard has applied its
// forwarding, so that no header for this hop alone is left.
func (p *Proxy) direct(w http.ResponseWriter, r *http.Request) error {
	if !p.transport.TakesDirectly(r) {
		return p.forward(w, r)
	}
	w.Header().Del("Server") // the upstream's own stands alone
	if r.ContentLength == 0 {
		r.Body = nil
	}
	r.Close = false
	in := *r // whose Host stays the client's
	p.rewrite(&httputil.ProxyRequest{In: &in, Out: r})
	if _, named := r.Header["User-Agent"]; !named {
		r.Header["User-Agent"] = []string{""} // or the standard library would write its own name
	}
	answer, err := p.transport.Direct(r, interimTo(w))
	if err != nil {
		return failure(err)
	}
	defer answer.Body.Close()
	return p.answer(w, answer)
}

// interimTo passes answers before the answer on.
func interimTo(w http.ResponseWriter) upstream.Interim {
	return func(status int, header textproto.MIMEHeader) error {
		before := w.Header()
		copyFields(before, http.Header(header))
		w.WriteHeader(status)
		clear(before)
		return nil
	}
}

// answer passes an upstream's answer on. It panics where the answer breaks off: the client
// must not take a part for the whole.
func (p *Proxy) answer(w http.ResponseWriter, answer *http.Response) error {
	dropHopHeaders(answer.Header)
	header := w.Header()
	copyFields(header, answer.Header)
	announced := len(answer.Trailer)
	if announced > 0 {
		names := make([]string, 0, announced)
		for name := range answer.Trailer {
			names = append(names, name)
		}
		header.Add("Trailer", strings.Join(names, ", "))
	}
	w.WriteHeader(answer.StatusCode)
	if answer.Body != http.NoBody {
		if !copyBody(w, answer) {
			panic(http.ErrAbortHandler)
		}
	}
	if len(answer.Trailer) == 0 {
		return nil
	}
	_ = http.NewResponseController(w).Flush() // in chunks, or there is no place for a trailer
	prefix := ""
	if len(answer.Trailer) != announced {
		prefix = http.TrailerPrefix
	}
	for name, values := range answer.Trailer {
		header[prefix+name] = append(header[prefix+name], values...)
	}
	return nil
}

// copyBody copies the body of an answer as it comes, and reports whether that was all of
// it.
func copyBody(w http.ResponseWriter, answer *http.Response) bool {
	flushes := answer.ContentLength < 0
	if media, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); media == "text/event-stream" {
		flushes = true
	}
	buffer := copyBuffers{}.Get()
	defer copyBuffers{}.Put(buffer)
	for {
		n, err := answer.Body.Read(buffer)
		if n > 0 {
			if _, failed := w.Write(buffer[:n]); failed != nil {
				return false
			}
			if flushes && http.NewResponseController(w).Flush() != nil {
				return false
			}
		}
		if err != nil {
			return err == io.EOF
		}
	}
}

// hopHeaders are for one hop alone (RFC 9110, section 7.6.1).
var hopHeaders = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

func dropHopHeaders(header http.Header) {
	for _, line := range header["Connection"] {
		for option := range strings.SplitSeq(line, ",") {
			if option = textproto.TrimString(option); httpguts.ValidHeaderFieldName(option) {
				header.Del(option)
			}
		}
	}
	for _, name := range hopHeaders {
		delete(header, name)
	}
}

// copyFields adds fields to a header, which may have some of the same names.
func copyFields(to, from http.Header) {
	for name, values := range from {
		if before := to[name]; len(before) > 0 {
			values = slices.Concat(before, values)
		}
		to[name] = values
	}
}
