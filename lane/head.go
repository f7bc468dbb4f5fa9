package lane

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/hookgate/hookgate/internal/wire"
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

// head is a plain head as it was sent. Its fields are kept to be used again.
type head struct {
	wire.Request
	size int // of the head itself, in bytes
}

// read reads a head at the beginning of b. It takes a narrow part of RFC 9112, in which no
// two parsers can differ: everything stands where it is usually written, nothing is folded,
// quoted, escaped, repeated or left out.
func (h *head) read(b []byte) verdict {
	end := bytes.Index(b[:min(len(b), MaxHead)], []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) >= MaxHead || !plainSoFar(b) {
			return declined
		}
		return partial
	}
	// One copy for all strings: the buffer is used again.
	text := string(b[:end+2])
	h.size = end + 4
	line, rest := wire.CutLine(text)
	if !h.requestLine(line) {
		return declined
	}
	h.Host, h.Fields, h.Length, h.Close, h.Body = "", h.Fields[:0], -1, false, nil
	for rest != "" {
		line, rest = wire.CutLine(rest)
		if len(h.Fields) == maxFields || !h.field(line) {
			return declined
		}
	}
	if h.Host == "" || h.Length > 0 && (h.Method == http.MethodGet || h.Method == http.MethodDelete) {
		return declined
	}
	return plain
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
	h.Method, h.Path, h.Query = method, path, query
	return true
}

// field takes one line of the header.
func (h *head) field(line string) bool {
	end := 0
	for end < len(line) && classes[line[end]]&nameByte != 0 {
		end++
	}
	value, found := strings.CutPrefix(line[end:], ": ")
	if !found || end == 0 || !plainValue(value) {
		return false
	}
	name := textproto.CanonicalMIMEHeaderKey(line[:end])
	switch name {
	case "Host":
		if h.Host != "" || !madeOf(value, hostByte) || strings.IndexByte("-.:", value[0]) >= 0 { // Caddy refuses dots alone
			return false
		}
		h.Host = value
		return true
	case "Content-Length":
		length, ok := plainLength(value)
		if !ok || h.Length >= 0 {
			return false
		}
		h.Length = length
	case "Connection":
		h.Close = strings.EqualFold(value, "close")
		if !h.Close && !strings.EqualFold(value, "keep-alive") {
			return false
		}
	case "Transfer-Encoding", "Expect", "Upgrade", "Trailer", "Te", "Keep-Alive", "Proxy-Connection",
		"Proxy-Authenticate", "Proxy-Authorization", "Http2-Settings", "Pragma":
		// For this hop alone, or with a meaning beyond this request; net/http makes another
		// header of Pragma.
		return false
	}
	for i := range h.Fields {
		if h.Fields[i].Name == name {
			return false
		}
	}
	h.Fields = append(h.Fields, wire.Field{Name: name, Value: value})
	return true
}

// plainLength reads the length of a body as it is usually written.
func plainLength(s string) (int, bool) {
	n, ok := wire.Digits(s)
	return int(n), ok && n <= maxBody && (len(s) == 1 || s[0] != '0')
}

// plainValue reports whether a value is visible ASCII with spaces inside alone.
func plainValue(s string) bool {
	return s != "" && s[0] != ' ' && s[len(s)-1] != ' ' && madeOf(s, valueByte)
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
	return new(head).read(b) == plain
}
