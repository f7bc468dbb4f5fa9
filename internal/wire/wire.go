// Package wire is HTTP/1.1 as it stands on a connection: requests and answers whose head
// and body are at hand, without what net/http builds around them.
package wire

import (
	"bytes"
	"io"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
)

// Field is one line of a header, its name in canonical form.
type Field struct{ Name, Value string }

// Request is one that came whole.
type Request struct {
	Method, Path, Query string // query without '?'
	Host                string
	Fields              []Field // no name twice, and without Host
	Length              int     // of the body as declared; -1: it was not
	Close               bool    // the client wants the connection closed behind the answer
	Body                []byte
	Client              Client
}

// Client is whose connection a request came on.
type Client struct {
	Remote string // as net/http writes it
	// Addr is the address in Remote, without a zone; the zero Addr where it has none. Text is
	// the same as the upstream is told of it.
	Addr netip.Addr
	Text string
}

// ClientAt returns the client at a remote address of a connection.
func ClientAt(remote string) Client {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return Client{Remote: remote}
	}
	addr := peer.Addr().WithZone("")
	return Client{remote, addr, addr.String()}
}

// Get returns the value of a field, by its canonical name; "" where there is none.
func (r *Request) Get(name string) string { return first(r.Fields, name) }

func first(fields []Field, name string) string {
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Value
		}
	}
	return ""
}

// Target returns the target as the client sent it.
func (r *Request) Target() string {
	if r.Query == "" {
		return r.Path
	}
	return r.Path + "?" + r.Query
}

// Header returns the header as net/http has it.
func (r *Request) Header() http.Header {
	var h Header
	r.HeaderInto(&h)
	return h.Fields
}

// Header has room for a header as net/http has it, for one request after the other.
type Header struct {
	Fields http.Header
	values []string
}

// HeaderInto puts the header of the request in the place of another. It is there until the
// next one.
func (r *Request) HeaderInto(h *Header) {
	if h.Fields == nil {
		h.Fields = make(http.Header, len(r.Fields)+8)
	}
	clear(h.Fields)
	h.values = slices.Grow(h.values[:0], len(r.Fields))
	for _, f := range r.Fields {
		n := len(h.values)
		h.values = append(h.values, f.Value)
		h.Fields[f.Name] = h.values[n : n+1 : n+1]
	}
}

// Clear forgets the header.
func (h *Header) Clear() {
	clear(h.Fields)
	clear(h.values)
}

// HTTP returns what net/http's server makes of the request. Its body is a copy: a transport may
// read on when the request has been answered, and another has taken its place.
func (r *Request) HTTP() *http.Request {
	made := &http.Request{
		Method: r.Method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL: &url.URL{Path: r.Path, RawQuery: r.Query}, RequestURI: r.Target(), RemoteAddr: r.Client.Remote,
		Header: r.Header(), Host: r.Host, Body: http.NoBody, ContentLength: int64(max(r.Length, 0)), Close: r.Close,
	}
	if r.Length > 0 {
		made.Body = &body{Reader: *bytes.NewReader(bytes.Clone(r.Body))}
	}
	return made
}

// body is one that is at hand.
type body struct{ bytes.Reader }

// Close implements io.Closer.
func (*body) Close() error { return nil }

// Answer is one that came whole. It does not have the fields that are for one hop alone,
// nor Content-Length.
type Answer struct {
	Status int
	Fields []Field
	Body   []byte
}

// Get returns the first value of a field, by its canonical name; "" where there is none.
func (a *Answer) Get(name string) string { return first(a.Fields, name) }

// CutLine returns the first line of a head without its end, and the rest. Every line of s
// ends in CRLF.
func CutLine(s string) (line, rest string) {
	i := strings.Index(s, "\r\n")
	return s[:i], s[i+2:]
}

// Digits reads a number of up to fifteen digits, and nothing but digits.
func Digits(s string) (n int64, ok bool) {
	if s == "" || len(s) > 15 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// AppendPlain appends a line of a header whose value was read from one.
func AppendPlain(out []byte, name, value string) []byte {
	out = append(append(out, name...), ": "...)
	return append(append(out, value...), "\r\n"...)
}

var noNewlines = strings.NewReplacer("\r", " ", "\n", " ")

// AppendField appends a line of a header. A value cannot end its line.
func AppendField(out []byte, name, value string) []byte {
	if strings.IndexByte(value, '\n') >= 0 || strings.IndexByte(value, '\r') >= 0 {
		value = noNewlines.Replace(value)
	}
	return AppendPlain(out, name, textproto.TrimString(value))
}

var _ io.ReadCloser = (*body)(nil)
