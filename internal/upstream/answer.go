package upstream

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"strings"
)

// readPlain reads an answer whose head is at hand and written as usual. With ok false it
// has read nothing, and net/http is to look at it.
//
// What is usual is narrow: HTTP/1.1, a status from 200 on, lines that end in CRLF, and a
// body of one declared length or none.
func readPlain(from *bufio.Reader, r *http.Request) (answer *http.Response, ok bool) {
	if r.Method == http.MethodHead || r.Method == http.MethodConnect {
		return nil, false // their answers have lengths and no bodies
	}
	if _, err := from.Peek(1); err != nil {
		return nil, false
	}
	there, _ := from.Peek(from.Buffered())
	end := bytes.Index(there, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, false
	}
	text := string(there[:end+2])
	line, rest := cutLine(text)
	answer = &http.Response{
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: make(http.Header, 8), ContentLength: -1, Body: http.NoBody,
	}
	if answer.StatusCode, ok = plainStatus(line); !ok {
		return nil, false
	}
	answer.Status = line[len("HTTP/1.1 "):]
	values := make([]string, 0, 12) // of all fields, so that they are one piece of memory
	for rest != "" {
		line, rest = cutLine(rest)
		if !plainField(answer, line, &values) {
			return nil, false
		}
	}
	bodiless := answer.StatusCode == http.StatusNoContent || answer.StatusCode == http.StatusNotModified
	switch {
	case bodiless:
		if answer.ContentLength >= 0 {
			return nil, false
		}
		answer.ContentLength = 0
	case answer.ContentLength < 0:
		return nil, false // in chunks, or up to the end of the connection
	case answer.ContentLength > 0:
		answer.Body = &declared{Reader: from, left: answer.ContentLength}
	}
	_, _ = from.Discard(end + len("\r\n\r\n"))
	return answer, true
}

// plainStatus reads a status line.
func plainStatus(line string) (status int, ok bool) {
	digits, found := strings.CutPrefix(line, "HTTP/1.1 ")
	if !found || len(digits) < 4 || digits[3] != ' ' || !visible(digits[4:]) {
		return 0, false
	}
	for i := range 3 {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		status = status*10 + int(digits[i]-'0')
	}
	return status, status >= http.StatusOK
}

// plainField takes one line of an answer's header.
func plainField(answer *http.Response, line string, values *[]string) bool {
	name, value, found := strings.Cut(line, ":")
	if !found || !plainName(name) || !visible(value) {
		return false
	}
	name, value = textproto.CanonicalMIMEHeaderKey(name), strings.Trim(value, " ")
	switch name {
	case "Content-Length":
		length, ok := digits(value)
		if !ok || answer.ContentLength >= 0 {
			return false
		}
		answer.ContentLength = length
	case "Connection":
		if _, twice := answer.Header[name]; twice {
			return false
		}
		answer.Close = strings.EqualFold(value, "close")
		if !answer.Close && !strings.EqualFold(value, "keep-alive") {
			return false
		}
	case "Transfer-Encoding", "Trailer", "Upgrade", "Pragma": // net/http makes another header of the last one
		return false
	}
	if before, twice := answer.Header[name]; twice {
		answer.Header[name] = append(before, value)
		return true
	}
	*values = append(*values, value)
	n := len(*values)
	answer.Header[name] = (*values)[n-1 : n : n]
	return true
}

func digits(s string) (n int64, ok bool) {
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

// cutLine returns the first line of s without its end, and the rest.
func cutLine(s string) (line, rest string) {
	i := strings.Index(s, "\r\n") // it is there: every line ends so
	return s[:i], s[i+2:]
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
