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
)

// held is how much of an answer waits for its end, so that its length can be told: as much
// as with net/http.
const held = 2048

// writer is the answer to one request, framed as net/http's server would frame it.
type writer struct {
	conn   *conn
	header http.Header
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
func (w *writer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	switch {
	case w.status != 0 || status < 100 || status > 999:
		return
	case status < http.StatusOK && status != http.StatusSwitchingProtocols:
		w.interim(status)
		return
	}
	w.status = status
	w.none = status == http.StatusNoContent || status == http.StatusNotModified
	if text := w.header.Get("Content-Length"); text != "" {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
			w.length = n
		} else {
			delete(w.header, "Content-Length")
		}
	}
}

// interim sends an answer before the answer.
func (w *writer) interim(status int) {
	b := answers.Get().(*[]byte)
	defer answers.Put(b)
	out := appendStatus((*b)[:0], status)
	out = appendFields(out, w.header, func(name string) bool { return name == "Content-Length" || name == "Transfer-Encoding" })
	out = append(out, "\r\n"...)
	*b = out
	w.send(out)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.failed != nil:
		return 0, w.failed
	case w.none && len(b) > 0:
		return 0, http.ErrBodyNotAllowed
	case w.length >= 0 && w.sent+int64(len(w.body)+len(b)) > w.length:
		return 0, http.ErrContentLength
	}
	if !w.begun && len(w.body) == 0 && w.length == int64(len(b)) && w.length > 0 {
		return len(b), w.whole(b)
	}
	w.body = append(w.body, b...)
	if len(w.body) > held && (w.length < 0 || w.sent+int64(len(w.body)) < w.length) {
		return len(b), w.flush(false)
	}
	return len(b), nil
}

// FlushError serves http.ResponseController.
func (w *writer) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.flush(false)
}

// Flush implements http.Flusher.
func (w *writer) Flush() { _ = w.FlushError() }

// SetReadDeadline serves http.ResponseController: all of the request is at hand.
func (*writer) SetReadDeadline(time.Time) error { return nil }

// finish sends what is left of the answer. An error ends the connection.
func (w *writer) finish() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if err := w.flush(true); err != nil {
		return err
	}
	if w.length > w.sent && !w.none {
		return errors.New("the answer is shorter than it was declared")
	}
	return nil
}

// answers hold answers while they are sent.
var answers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// keptAnswer is the largest buffer that goes back: a large answer must not stay.
const keptAnswer = 64 << 10

// flush sends what there is of the answer, its head included.
func (w *writer) flush(end bool) error {
	if w.failed != nil {
		return w.failed
	}
	b := answers.Get().(*[]byte)
	out := (*b)[:0]
	if !w.begun {
		w.begun = true
		out = w.appendHead(out, end)
	}
	switch n := len(w.body); {
	case w.chunks && n > 0:
		out = strconv.AppendInt(out, int64(n), 16)
		out = append(out, "\r\n"...)
		out = append(append(out, w.body...), "\r\n"...)
	default:
		out = append(out, w.body...)
	}
	w.sent += int64(len(w.body))
	w.body = w.body[:0]
	if end && w.chunks {
		out = append(out, "0\r\n"...)
		out = w.appendTrailers(out)
		out = append(out, "\r\n"...)
	}
	w.send(out)
	if *b = out; cap(out) <= keptAnswer {
		answers.Put(b)
	}
	return w.failed
}

// whole sends an answer that is there at once: head and body in one piece.
func (w *writer) whole(body []byte) error {
	w.body, w.sent = body[:min(len(body), held)], w.length // which the head looks at
	b := answers.Get().(*[]byte)
	out := append(w.appendHead((*b)[:0], false), body...)
	w.begun, w.body = true, nil
	w.send(out)
	if *b = out; cap(out) <= keptAnswer {
		answers.Put(b)
	}
	return w.failed
}

func (w *writer) send(b []byte) {
	if w.failed == nil && len(b) > 0 {
		w.failed = w.conn.write(b)
	}
}

// appendHead decides on the framing of the answer, and appends its head.
func (w *writer) appendHead(out []byte, end bool) []byte {
	header := w.header
	_, trailers := header["Trailer"]
	switch {
	case w.none:
		w.length = -1
	case end && w.length < 0 && !trailers:
		w.length = int64(len(w.body))
	case w.length < 0:
		w.chunks = true
	}
	if w.conn.Retired() || httpguts.HeaderValuesContainsToken(header["Connection"], "close") {
		w.close = true
	}
	out = appendStatus(out, w.status)
	out = appendFields(out, header, func(name string) bool {
		switch name {
		case "Content-Length", "Transfer-Encoding":
			return true
		case "Connection":
			return w.close
		case "Content-Type":
			return w.status == http.StatusNotModified
		}
		return false
	})
	// The standard library's proxy sends the head of an answer of unknown length ahead, which
	// leaves nothing to guess a type from.
	if !w.none && !w.chunks {
		if _, typed := header["Content-Type"]; !typed && header.Get("Content-Encoding") == "" && len(w.body) > 0 {
			out = append(append(append(out, "Content-Type: "...), http.DetectContentType(w.body[:min(len(w.body), held)])...), "\r\n"...)
		}
	}
	if w.close {
		out = append(out, "Connection: close\r\n"...)
	}
	if _, dated := header["Date"]; !dated {
		out = append(append(append(out, "Date: "...), now()...), "\r\n"...)
	}
	switch {
	case w.chunks:
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	case w.length >= 0:
		out = append(strconv.AppendInt(append(out, "Content-Length: "...), w.length, 10), "\r\n"...)
	}
	return append(out, "\r\n"...)
}

// appendTrailers appends the fields that the head announced.
func (w *writer) appendTrailers(out []byte) []byte {
	announced := make(http.Header)
	for _, line := range w.header["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(textproto.TrimString(name))
			if values, ok := w.header[name]; ok && httpguts.ValidTrailerHeader(name) {
				announced[name] = values
			}
		}
	}
	for name, values := range w.header {
		if later, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			announced[later] = values
		}
	}
	return appendFields(out, announced, func(string) bool { return false })
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

var noNewlines = strings.NewReplacer("\r", " ", "\n", " ")

func appendFields(out []byte, header http.Header, without func(name string) bool) []byte {
	for name, values := range header {
		if without(name) || !httpguts.ValidHeaderFieldName(name) {
			continue
		}
		for _, value := range values {
			if strings.ContainsAny(value, "\r\n") {
				value = noNewlines.Replace(value)
			}
			out = append(append(out, name...), ": "...)
			out = append(append(out, textproto.TrimString(value)...), "\r\n"...)
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
	_ http.ResponseWriter = (*writer)(nil)
	_ http.Flusher        = (*writer)(nil)
)
