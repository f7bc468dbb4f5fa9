package lane

import (
	"bytes"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

const (
	// MaxHead is the longest head in bytes that is plain.
	MaxHead = 8 << 10
	// maxBody is the longest body in bytes that is plain: the upstream's direct way takes no
	// longer one.
	maxBody = 32 << 10
	// maxFields bounds the number of header fields, each of which is compared with all others.
	maxFields = 64
)

// verdict says what a head is.
type verdict int

const (
	declined verdict = iota // not plain, whatever follows
	partial                 // plain so far, but not whole
	plain
)

// head is a plain head as it was sent.
type head struct {
	method, path, query string // query without '?'
	host                string
	fields              http.Header // without Host
	length              int         // of the body; -1: none was declared
	close               bool        // the client wants the connection closed behind the answer
	size                int         // of the head itself, in bytes
}

// readHead reads a head at the beginning of b. It takes a narrow part of RFC 9112, in
// which no two parsers can differ: everything stands where it is usually written, nothing
// is folded, quoted, escaped, repeated or left out.
func readHead(b []byte) (h head, v verdict) {
	end := bytes.Index(b[:min(len(b), MaxHead)], []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) >= MaxHead || !plainSoFar(b) {
			return head{}, declined
		}
		return head{}, partial
	}
	// One copy for all strings: the buffer is used again.
	text := string(b[:end+2])
	h.size = end + 4
	line, rest := cutLine(text)
	if !h.requestLine(line) {
		return head{}, declined
	}
	h.fields, h.length = make(http.Header, 12), -1
	values := make([]string, 0, 16) // of all fields, so that they are one piece of memory
	for rest != "" {
		line, rest = cutLine(rest)
		if len(h.fields) == maxFields || !h.field(line, &values) {
			return head{}, declined
		}
	}
	if h.host == "" || h.length > 0 && (h.method == http.MethodGet || h.method == http.MethodDelete) {
		return head{}, declined
	}
	return h, plain
}

// plainSoFar reports whether a head that is not whole yet may still become plain: a client
// that sends something else, such as the preface of HTTP/2 or a handshake, must not wait.
func plainSoFar(b []byte) bool {
	line := b
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		line = b[:i]
	}
	space := bytes.IndexByte(line, ' ')
	if space < 0 {
		return len(line) < len(http.MethodDelete)+1 && startsMethod(string(line))
	}
	return plainMethod(string(line[:space]))
}

var methods = [...]string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet}

func plainMethod(s string) bool {
	for _, method := range methods {
		if s == method {
			return true
		}
	}
	return false
}

func startsMethod(s string) bool {
	for _, method := range methods {
		if strings.HasPrefix(method, s) {
			return true
		}
	}
	return false
}

// cutLine returns the first line of s without its end, and the rest.
func cutLine(s string) (line, rest string) {
	i := strings.Index(s, "\r\n") // it is there: every line ends so
	return s[:i], s[i+2:]
}

func (h *head) requestLine(line string) bool {
	method, line, found := strings.Cut(line, " ")
	target, version, both := strings.Cut(line, " ")
	if !found || !both || version != "HTTP/1.1" || !plainMethod(method) {
		return false
	}
	path, query, hasQuery := strings.Cut(target, "?")
	if !strings.HasPrefix(path, "/") || !madeOf(path, pathByte) || !madeOf(query, queryByte) || hasQuery && query == "" {
		return false
	}
	h.method, h.path, h.query = method, path, query
	return true
}

// field takes one line of the header.
func (h *head) field(line string, values *[]string) bool {
	name, value, found := strings.Cut(line, ": ")
	if !found || name == "" || !madeOf(name, nameByte) || !plainValue(value) {
		return false
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch name {
	case "Host":
		if h.host != "" || !madeOf(value, hostByte) || strings.IndexByte("-.:", value[0]) >= 0 { // Caddy refuses dots alone
			return false
		}
		h.host = value
		return true
	case "Content-Length":
		length, ok := plainLength(value)
		if !ok || h.length >= 0 {
			return false
		}
		h.length = length
	case "Connection":
		h.close = strings.EqualFold(value, "close")
		if !h.close && !strings.EqualFold(value, "keep-alive") {
			return false
		}
	case "Transfer-Encoding", "Expect", "Upgrade", "Trailer", "Te", "Keep-Alive", "Proxy-Connection",
		"Proxy-Authenticate", "Proxy-Authorization", "Http2-Settings", "Pragma":
		// For this hop alone, or with a meaning beyond this request; net/http makes another
		// header of Pragma.
		return false
	}
	if _, twice := h.fields[name]; twice {
		return false
	}
	*values = append(*values, value)
	n := len(*values)
	h.fields[name] = (*values)[n-1 : n : n]
	return true
}

// plainLength reads the length of a body as it is usually written.
func plainLength(s string) (int, bool) {
	if s == "" || len(s) > 5 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, n <= maxBody
}

// plainValue reports whether a value is visible ASCII with spaces inside alone.
func plainValue(s string) bool {
	return s != "" && s[0] != ' ' && s[len(s)-1] != ' ' && madeOf(s, valueByte)
}

// request makes of a plain head what net/http's server makes of it.
func (h *head) request() *http.Request {
	r := &http.Request{
		Method: h.method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL: &url.URL{Path: h.path, RawQuery: h.query}, RequestURI: h.path,
		Header: h.fields, Host: h.host, Body: http.NoBody, ContentLength: int64(max(h.length, 0)), Close: h.close,
	}
	if h.query != "" {
		r.RequestURI += "?" + h.query
	}
	return r
}

// Classes of bytes.
const (
	nameByte = 1 << iota
	pathByte
	queryByte
	hostByte
	valueByte
)

var classes = func() (table [256]byte) {
	for c := byte(' '); c < 0x7f; c++ {
		table[c] |= valueByte
		if c != ' ' && c != '#' {
			table[c] |= queryByte
		}
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if letter || c == '-' {
			table[c] |= nameByte
		}
		if letter || strings.IndexByte("-._~/", c) >= 0 {
			table[c] |= pathByte
		}
		if letter || strings.IndexByte("-.:", c) >= 0 {
			table[c] |= hostByte
		}
	}
	return table
}()

func madeOf(s string, class byte) bool {
	for i := range len(s) {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

// Plain reports whether bytes begin with the whole head of a plain request.
func Plain(b []byte) bool {
	_, v := readHead(b)
	return v == plain
}
