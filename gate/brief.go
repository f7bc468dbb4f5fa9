package gate

import (
	"net/http"

	"go.uber.org/zap"
)

const (
	textPlain       = "text/plain; charset=utf-8"
	headerDuplicate = "X-Hookgate-Duplicate"
)

// succeed answers in the words that the vendor wants for a 2xx of the upstream.
func (x *exchange) succeed(a *answering) error {
	a.discard()
	return x.brief(a.success.Status, textPlain, []byte(a.success.Body))
}

// duplicate answers an event that was delivered before as it was answered then, without
// the body.
func (x *exchange) duplicate() error {
	status, body := x.Seen.Status, ""
	if success := x.Decision.Success(); success != nil {
		status, body = success.Status, success.Body
	}
	x.log("an event was delivered before", status)
	x.w.Header().Set(headerDuplicate, "true")
	return x.brief(status, textPlain, []byte(body))
}

// handshake answers a handshake of the vendor's.
func (x *exchange) handshake() error {
	answer := x.Decision.Answer
	for name, value := range answer.Header {
		x.w.Header().Set(name, value)
	}
	x.log("a handshake", answer.Status)
	return x.brief(answer.Status, answer.ContentType, answer.Body)
}

// log writes the log line about an answer in words of ours or of the vendor's.
func (x *exchange) log(message string, status int) {
	d := &x.Decision
	x.Logger.Info(message, zap.String("request_id", x.id), zap.Int("status", status), zap.String("outcome", string(d.Outcome)),
		zap.String("route", d.Template), zap.String("vendor", d.Vendor), zap.Stringer("credential", d.Credential))
}

// brief writes an answer of ours that is no problem. What is echoed in it must not be taken
// by a browser for anything but what it is said to be.
func (x *exchange) brief(status int, contentType string, body []byte) error {
	settled := settle(x.w, x.r, x.raw)
	header := x.w.Header()
	header.Set("Cache-Control", "no-store")
	identify(header, status, x.id)
	if len(body) > 0 {
		header.Set("Content-Type", contentType)
		header.Set("X-Content-Type-Options", "nosniff")
	}
	x.w.WriteHeader(status)
	var err error
	if len(body) > 0 && status != http.StatusNoContent {
		_, err = x.w.Write(body)
	}
	if !settled {
		linger(x.w, x.r, x.raw)
	}
	return err
}
