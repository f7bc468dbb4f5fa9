package lane

import (
	"errors"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/hookgate/hookgate/internal/wire"
)

// held is how much of an answer waits for its end, so that its length can be told: as much
// as with net/http.
const held = 2048

// Answer is the answer to one request, framed as net/http's server would frame it.
type Answer struct {
	conn   *conn
	header http.Header // nil: nobody has asked for it
	status int
	length int64  // as declared; -1: it was not
	body   []byte // not sent yet
	sent   int64  // of the body
	begun  bool   // the head is sent
	chunks bool
	none   bool // the status allows no body
	close  bool
	failed error
}

// Header implements http.ResponseWriter.
func (a *Answer) Header() http.Header {
	if a.header == nil {
		a.header = make(http.Header, 8)
	}
	return a.header
}

// WriteHeader implements http.ResponseWriter.
func (a *Answer) WriteHeader(status int) {
	switch {
	case a.status != 0 || status < 100 || status > 999:
		return
	case status < http.StatusOK && status != http.StatusSwitchingProtocols:
		a.interim(status)
		return
	}
	a.status = status
	a.none = status == http.StatusNoContent || status == http.StatusNotModified
	if text := a.header.Get("Content-Length"); text != "" {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
			a.length = n
		} else {
			delete(a.header, "Content-Length")
		}
	}
}

// interim sends an answer before the answer.
func (a *Answer) interim(status int) {
	b := answers.Get().(*[]byte)
	out := appendStatus((*b)[:0], status)
	out = appendFields(out, a.header, func(name string) bool { return name == "Content-Length" || name == "Transfer-Encoding" })
	_ = a.sendOf(b, append(out, "\r\n"...)) // the answer itself tells
}

// Write implements http.ResponseWriter.
func (a *Answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case a.failed != nil:
		return 0, a.failed
	case a.none && len(b) > 0:
		return 0, http.ErrBodyNotAllowed
	case a.length >= 0 && a.sent+int64(len(a.body)+len(b)) > a.length:
		return 0, http.ErrContentLength
	}
	if !a.begun && len(a.body) == 0 && a.length == int64(len(b)) && a.length > 0 {
		return len(b), a.whole(b)
	}
	a.body = append(a.body, b...)
	if len(a.body) > held && (a.length < 0 || a.sent+int64(len(a.body)) < a.length) {
		return len(b), a.flush(false)
	}
	return len(b), nil
}

// FlushError serves http.ResponseController.
func (a *Answer) FlushError() error {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	return a.flush(false)
}

// Flush implements http.Flusher.
func (a *Answer) Flush() { _ = a.FlushError() }

// SetReadDeadline serves http.ResponseController: all of the request is at hand.
func (*Answer) SetReadDeadline(time.Time) error { return nil }

// finish sends what is left of the answer. An error ends the connection.
func (a *Answer) finish() error {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if err := a.flush(true); err != nil {
		return err
	}
	if a.length > a.sent && !a.none {
		return errors.New("the answer is shorter than it was declared")
	}
	return nil
}

// answers hold answers while they are sent.
var answers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// keptAnswer is the largest buffer that goes back: a large answer must not stay.
const keptAnswer = 64 << 10

// flush sends what there is of the answer, its head included.
func (a *Answer) flush(end bool) error {
	if a.failed != nil {
		return a.failed
	}
	b := answers.Get().(*[]byte)
	out := (*b)[:0]
	if !a.begun {
		a.begun = true
		out = a.appendHead(out, end)
	}
	switch n := len(a.body); {
	case a.chunks && n > 0:
		out = strconv.AppendInt(out, int64(n), 16)
		out = append(out, "\r\n"...)
		out = append(append(out, a.body...), "\r\n"...)
	default:
		out = append(out, a.body...)
	}
	a.sent += int64(len(a.body))
	a.body = a.body[:0]
	if end && a.chunks {
		out = append(out, "0\r\n"...)
		out = a.appendTrailers(out)
		out = append(out, "\r\n"...)
	}
	return a.sendOf(b, out)
}

// whole sends an answer that is there at once: head and body in one piece.
func (a *Answer) whole(body []byte) error {
	a.body, a.sent = body[:min(len(body), held)], a.length // which the head looks at
	b := answers.Get().(*[]byte)
	out := append(a.appendHead((*b)[:0], false), body...)
	a.begun, a.body = true, nil
	return a.sendOf(b, out)
}

// sendOf sends what was appended to a buffer of answers, and gives the buffer back.
func (a *Answer) sendOf(b *[]byte, out []byte) error {
	if a.failed == nil && len(out) > 0 {
		a.failed = a.conn.write(out)
	}
	if *b = out; cap(out) <= keptAnswer {
		answers.Put(b)
	}
	return a.failed
}

// appendHead decides on the framing of the answer, and appends its head.
func (a *Answer) appendHead(out []byte, end bool) []byte {
	header := a.header
	_, trailers := header["Trailer"]
	switch {
	case a.none:
		a.length = -1
	case end && a.length < 0 && !trailers:
		a.length = int64(len(a.body))
	case a.length < 0:
		a.chunks = true
	}
	if a.conn.Retired() || httpguts.HeaderValuesContainsToken(header["Connection"], "close") {
		a.close = true
	}
	out = appendStatus(out, a.status)
	out = appendFields(out, header, func(name string) bool {
		switch name {
		case "Content-Length", "Transfer-Encoding":
			return true
		case "Connection":
			return a.close
		case "Content-Type":
			return a.status == http.StatusNotModified
		}
		return false
	})
	_, typed := header["Content-Type"]
	_, dated := header["Date"]
	return a.appendFraming(out, typed || header.Get("Content-Encoding") != "", dated)
}

// appendTrailers appends the fields that the head announced.
func (a *Answer) appendTrailers(out []byte) []byte {
	announced := make(http.Header)
	for _, line := range a.header["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(textproto.TrimString(name))
			if values, ok := a.header[name]; ok && httpguts.ValidTrailerHeader(name) {
				announced[name] = values
			}
		}
	}
	for name, values := range a.header {
		if later, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			announced[later] = values
		}
	}
	return appendFields(out, announced, func(string) bool { return false })
}

// appendFraming appends the fields of an answer that are ours to write, and ends its head.
func (a *Answer) appendFraming(out []byte, typed, dated bool) []byte {
	// The standard library's proxy sends the head of an answer of unknown length ahead, which
	// leaves nothing to guess a type from.
	if !typed && !a.none && !a.chunks && len(a.body) > 0 {
		out = append(append(append(out, "Content-Type: "...), http.DetectContentType(a.body[:min(len(a.body), held)])...), "\r\n"...)
	}
	if a.close {
		out = append(out, "Connection: close\r\n"...)
	}
	if !dated {
		out = append(append(append(out, "Date: "...), now()...), "\r\n"...)
	}
	switch {
	case a.chunks:
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	case a.length >= 0:
		out = append(strconv.AppendInt(append(out, "Content-Length: "...), a.length, 10), "\r\n"...)
	}
	return append(out, "\r\n"...)
}

// Whole sends an answer that came whole, as if its parts had been written one by one. Nothing
// has been written before. No value of a field has a line end in it, or spaces around it.
func (a *Answer) Whole(answer *wire.Answer) error {
	a.status, a.begun = answer.Status, true
	a.none = a.status == http.StatusNoContent || a.status == http.StatusNotModified
	if !a.none {
		a.body, a.length = answer.Body, int64(len(answer.Body))
	}
	if a.conn.Retired() {
		a.close = true
	}
	b := answers.Get().(*[]byte)
	out := appendStatus((*b)[:0], a.status)
	typed, dated := false, false
	for i := range answer.Fields {
		f := &answer.Fields[i]
		switch f.Name {
		case "Content-Type":
			if typed = true; a.status == http.StatusNotModified {
				continue
			}
		case "Content-Encoding":
			typed = typed || f.Value != ""
		case "Date":
			dated = true
		}
		out = wire.AppendPlain(out, f.Name, f.Value)
	}
	out = append(a.appendFraming(out, typed, dated), a.body...)
	a.sent, a.body = max(a.length, 0), nil
	return a.sendOf(b, out)
}

func appendStatus(out []byte, status int) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(out, ' ')
	if text := http.StatusText(status); text != "" {
		out = append(out, text...)
	} else {
		out = strconv.AppendInt(append(out, "status code "...), int64(status), 10)
	}
	return append(out, "\r\n"...)
}

func appendFields(out []byte, header http.Header, without func(name string) bool) []byte {
	for name, values := range header {
		if without(name) || !httpguts.ValidHeaderFieldName(name) {
			continue
		}
		for _, value := range values {
			out = wire.AppendField(out, name, value)
		}
	}
	return out
}

// dated is a second and how a Date writes it.
type dated struct {
	second int64
	text   string
}

var lastDate atomic.Pointer[dated]

// now returns the value of a Date.
func now() string {
	t := time.Now()
	if last := lastDate.Load(); last != nil && last.second == t.Unix() {
		return last.text
	}
	next := &dated{t.Unix(), t.UTC().Format(http.TimeFormat)}
	lastDate.Store(next)
	return next.text
}

var (
	_ http.ResponseWriter = (*Answer)(nil)
	_ http.Flusher        = (*Answer)(nil)
)
