package upstream

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/hookgate/hookgate/internal/wire"
)

// readPlain reads an answer whose head is at hand and written as usual. With ok false it
// has read nothing, and net/http is to look at it.
func readPlain(from *bufio.Reader, r *http.Request) (answer *http.Response, ok bool) {
	if r.Method == http.MethodHead || r.Method == http.MethodConnect {
		return nil, false // their answers have lengths and no bodies
	}
	if _, err := from.Peek(1); err != nil {
		return nil, false
	}
	there, _ := from.Peek(from.Buffered())
	var fields [24]wire.Field
	head := plainHead{Answer: wire.Answer{Fields: fields[:0]}}
	if !head.read(there) {
		return nil, false
	}
	answer = &http.Response{
		Status: head.reason, StatusCode: head.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: make(http.Header, len(head.Fields)), ContentLength: head.length, Close: head.close, Body: http.NoBody,
	}
	values := make([]string, 0, len(head.Fields)) // of all fields, so that they are one piece of memory
	for _, f := range head.Fields {
		if before, twice := answer.Header[f.Name]; twice {
			answer.Header[f.Name] = append(before, f.Value)
			continue
		}
		values = append(values, f.Value)
		n := len(values)
		answer.Header[f.Name] = values[n-1 : n : n]
	}
	if head.length > 0 {
		answer.Body = &declared{Reader: from, left: head.length}
	}
	_, _ = from.Discard(head.size)
	return answer, true
}

// plainHead is the head of an answer that is written as usual, and all of it: HTTP/1.1, a
// status from 200 on, lines that end in CRLF, and a body of one declared length or none.
type plainHead struct {
	wire.Answer        // all fields as they came
	reason      string // the status with its text
	length      int64  // of the body
	close       bool
	size        int // of the head itself, in bytes
}

// read reads a head at the beginning of b, and reports whether it is plain.
func (h *plainHead) read(b []byte) bool {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return false
	}
	line, rest := wire.CutLine(string(b[:end+2]))
	h.size, h.length, h.close = end+len("\r\n\r\n"), -1, false
	var ok bool
	if h.Status, ok = plainStatus(line); !ok {
		return false
	}
	h.reason = line[len("HTTP/1.1 "):]
	for rest != "" {
		line, rest = wire.CutLine(rest)
		if !h.field(line) {
			return false
		}
	}
	if h.Status == http.StatusNoContent || h.Status == http.StatusNotModified {
		ok = h.length < 0
		h.length = 0
		return ok
	}
	return h.length >= 0 // or it is in chunks, or goes up to the end of the connection
}

// plainStatus reads a status line.
func plainStatus(line string) (status int, ok bool) {
	rest, found := strings.CutPrefix(line, "HTTP/1.1 ")
	if !found || len(rest) < 4 || rest[3] != ' ' || !visible(rest[4:]) {
		return 0, false
	}
	n, ok := wire.Digits(rest[:3])
	return int(n), ok && n >= http.StatusOK
}

// field takes one line of an answer's header.
func (h *plainHead) field(line string) bool {
	name, value, found := strings.Cut(line, ":")
	if !found || !plainName(name) || !visible(value) {
		return false
	}
	name, value = textproto.CanonicalMIMEHeaderKey(name), strings.Trim(value, " ")
	switch name {
	case "Content-Length":
		length, ok := wire.Digits(value)
		if !ok || h.length >= 0 {
			return false
		}
		h.length = length
	case "Connection":
		if h.Get(name) != "" {
			return false
		}
		h.close = strings.EqualFold(value, "close")
		if !h.close && !strings.EqualFold(value, "keep-alive") {
			return false
		}
	case "Transfer-Encoding", "Trailer", "Upgrade", "Pragma": // net/http makes another header of the last one
		return false
	}
	h.Fields = append(h.Fields, wire.Field{Name: name, Value: value})
	return true
}

// dropHopFields leaves the fields that are not for this hop alone (RFC 9110, section 7.6.1).
func (h *plainHead) dropHopFields() {
	h.Fields = slices.DeleteFunc(h.Fields, func(f wire.Field) bool {
		switch f.Name {
		case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Content-Length":
			return true
		case "Close": // which Connection then names
			return h.close
		}
		return false
	})
}

func plainName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}

// visible reports whether s is visible ASCII and spaces.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// declared is a body of a declared length.
type declared struct {
	*bufio.Reader
	left int64
}

// Read implements io.Reader. The last bytes come with io.EOF.
func (d *declared) Read(p []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	n, err := d.Reader.Read(p[:min(int64(len(p)), d.left)])
	d.left -= int64(n)
	switch {
	case d.left == 0:
		return n, io.EOF
	case err == io.EOF:
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// Close implements io.Closer; the connection is answerBody's to close.
func (*declared) Close() error { return nil }
