package gate

import (
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/problem"
)

// Some of Matcher's answers are about us and not about the vendor, and a vendor drops an
// event upon any 4xx. Those are told as failures of ours; every other answer passes as
// it is.

// maxPeek bounds how much of an answer is held to see whose fault it tells of. Matcher's
// errors have a few hundred bytes.
const maxPeek = 4 << 10

// Codes of Matcher in the body of an answer.
const (
	tenantNotFound = "TENANT_NOT_FOUND"
	rateLimited    = "MTCH-0506" // the external system's callbacks of this minute
)

// inProgress are the codes of a delivery that an earlier try has marked as under way:
// one that is slow, or that Matcher did not survive.
var inProgress = map[string]bool{"MTCH-0018": true, "MTCH-0504": true, "MTCH-0505": true}

const (
	// progressRetryAfter: an earlier try ends within seconds, unless Matcher was killed
	// meanwhile, and then it takes five minutes.
	progressRetryAfter = 5 * time.Second
	// limitRetryAfter is the minute that Matcher counts in. It does not say what is left
	// of it.
	limitRetryAfter = time.Minute
)

// translation is what is told in place of an answer.
type translation struct {
	problem.Problem
	retryAfter time.Duration
	level      zapcore.Level
	message    string
}

var (
	refusesUs = &translation{Problem: problem.UpstreamRefuses, level: zapcore.ErrorLevel, message: "Matcher does not accept the JWT of this server"}
	notYet    = &translation{Problem: problem.UpstreamBusy, retryAfter: progressRetryAfter, level: zapcore.WarnLevel, message: "Matcher still has an earlier delivery under way"}
	tooMany   = &translation{Problem: problem.UpstreamBusy, retryAfter: limitRetryAfter, level: zapcore.WarnLevel, message: "Matcher takes no more callbacks of this external system for now"}
)

// byStatus judges an answer by its header alone. peek is true where it takes the body.
func byStatus(status int, header http.Header, asserted bool) (instead *translation, peek bool) {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		if asserted {
			return refusesUs, false
		}
	case http.StatusNotFound:
		return nil, asserted && isJSON(header)
	case http.StatusConflict, http.StatusTooManyRequests:
		return nil, isJSON(header)
	}
	return nil, false
}

// byBody judges an answer whose body is at hand.
func byBody(status int, code string) *translation {
	switch {
	case status == http.StatusNotFound && code == tenantNotFound:
		return refusesUs
	case status == http.StatusConflict && inProgress[code]:
		return notYet
	case status == http.StatusTooManyRequests && code == rateLimited:
		return tooMany
	}
	return nil
}

// isJSON reports whether a body can be read as JSON, which a compressed one cannot, and
// held to its end, behind which trailers would be.
func isJSON(header http.Header) bool {
	if header.Get("Content-Encoding") != "" || len(header["Trailer"]) > 0 {
		return false
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	return err == nil && (media == "application/json" || media == problem.ContentType)
}

// codeIn returns the member code of a document where it is a string: the limiter in
// front of Matcher has a number there.
func codeIn(body []byte) string {
	var document struct {
		Code any `json:"code"`
	}
	if json.Unmarshal(body, &document) != nil {
		return ""
	}
	code, _ := document.Code.(string)
	return code
}

// answering is the writer of an allowed request's answer. It lets the answer through to
// the byte, or keeps it back for another to take its place.
type answering struct {
	http.ResponseWriter
	exchange *exchange
	before   http.Header // of the answer, before anybody behind the gate added to it

	status  int          // 0 until the upstream has answered
	code    string       // Matcher's, where it was looked for
	peeking bool         // the body is held
	held    []byte       // of the body
	instead *translation // nil: the answer passes
}

// WriteHeader implements http.ResponseWriter.
func (a *answering) WriteHeader(status int) {
	switch {
	case status < http.StatusOK:
		a.ResponseWriter.WriteHeader(status)
		return
	case a.status != 0:
		return
	}
	a.status = status
	x := a.exchange
	x.Server.Answered(&x.decision, status)
	a.instead, a.peeking = byStatus(status, a.Header(), x.Policy.Asserter != nil)
	if a.instead == nil && !a.peeking {
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (a *answering) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case a.instead != nil:
		return len(b), nil
	case !a.peeking:
		return a.ResponseWriter.Write(b)
	case len(a.held)+len(b) <= maxPeek:
		a.held = append(a.held, b...)
		return len(b), nil
	}
	if err := a.release(); err != nil {
		return 0, err
	}
	return a.ResponseWriter.Write(b)
}

// release lets go what was held.
func (a *answering) release() error {
	a.peeking = false
	a.ResponseWriter.WriteHeader(a.status)
	held := a.held
	if a.held = nil; len(held) == 0 {
		return nil
	}
	_, err := a.ResponseWriter.Write(held)
	return err
}

// finish judges an answer that is held to its end. Nothing is left to be done where
// instead is nil.
func (a *answering) finish() error {
	if !a.peeking {
		return nil
	}
	a.code = codeIn(a.held)
	if a.instead = byBody(a.status, a.code); a.instead == nil {
		return a.release()
	}
	return nil
}

// FlushError serves http.ResponseController. What is kept back is not sent.
func (a *answering) FlushError() error {
	if a.peeking || a.instead != nil {
		return nil
	}
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Unwrap serves http.ResponseController.
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// through hands an allowed request over, and returns the answer that came of it.
func (x *exchange) through(next Handler, w http.ResponseWriter) (*answering, error) {
	a := &answering{ResponseWriter: w, exchange: x, before: maps.Clone(w.Header())}
	err := next.ServeHTTP(a, x.r)
	if err == nil {
		err = a.finish()
	}
	return a, err
}

// translate answers in place of an upstream that told of a fault that is not the
// vendor's. The log has what it told.
func (x *exchange) translate(a *answering) error {
	header := x.w.Header()
	clear(header)
	maps.Copy(header, a.before)
	t := a.instead
	if t.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(t.retryAfter/time.Second)))
	}
	fields := []zap.Field{zap.Int("upstream_status", a.status)}
	if a.code != "" {
		fields = append(fields, zap.String("upstream_code", a.code))
	}
	return x.answer(t.Problem, &x.decision, guard.Allowed, t.level, t.message, fields...)
}
