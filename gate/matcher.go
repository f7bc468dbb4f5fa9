package gate

import (
	"encoding/json"
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

// Translations returns what clients can be told in place of an upstream's answer.
func Translations() []problem.Problem {
	return []problem.Problem{problem.UpstreamRefuses, problem.UpstreamBusy}
}

// Passes reports whether an answer of this status, whatever else is in it, goes to the client
// as the upstream made it.
func (g *Gate) Passes(d *guard.Decision, status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests:
		return false // it depends
	}
	return d.Success() == nil || status >= http.StatusMultipleChoices
}

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

// isJSON reports whether a body can be read as JSON, and held to its end, behind which
// trailers would be.
func isJSON(header http.Header) bool {
	if len(header["Content-Encoding"]) > 1 || !readable(header.Get("Content-Encoding")) || len(header["Trailer"]) > 0 {
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

// translate answers in place of an upstream that told of a fault that is not the
// vendor's. The log has what it told.
func (x *exchange) translate(a *answering) error {
	header := a.discard()
	t := a.instead
	x.Server.Translated(&x.Decision, t.Problem)
	if t.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(t.retryAfter/time.Second)))
	}
	fields := []zap.Field{zap.Int("upstream_status", a.status)}
	if a.code != "" {
		fields = append(fields, zap.String("upstream_code", a.code))
	}
	return x.answer(t.Problem, &x.Decision, guard.Allowed, t.level, t.message, fields...)
}
