// Package problem has every error code of Hookgate in one table, and writes them as
// RFC 9457 has it. docs/errors.md is generated from the table.
package problem

//go:generate go test -run ^TestDocumented$ -update .

import (
	"cmp"
	"iter"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// Problem is one entry of the table. A code never changes its meaning, and a retired
// one is not used again: clients branch on it.
type Problem struct {
	// Code is HKG-1NNN for what the guard answers, and HKG-2NNN for the admin API.
	Code   string
	Status int
	// Title is the standard phrase of the status, as RFC 9457 wants it for about:blank.
	Title string
	// Meaning is what the code says, and the detail of an answer that has nothing more
	// precise to tell.
	Meaning string
	// Remedy is the cause and what to do about it, in Markdown, for docs/errors.md.
	Remedy string
}

var all []Problem

func define(code string, status int, meaning, remedy string) Problem {
	p := Problem{Code: code, Status: status, Title: http.StatusText(status), Meaning: meaning, Remedy: remedy}
	all = append(all, p)
	return p
}

// saying returns the problem with another detail.
func (p Problem) saying(detail string) Problem {
	p.Meaning = detail
	return p
}

// All returns the table in the order of the codes.
func All() []Problem {
	return slices.SortedFunc(slices.Values(all), func(a, b Problem) int { return cmp.Compare(a.Code, b.Code) })
}

// Because returns the problem with a more precise detail, for one of its causes. It must
// not need escaping.
func (p Problem) Because(detail string) Problem {
	p.Meaning = detail
	return p
}

const (
	// ContentType is the media type of a problem document.
	ContentType = "application/problem+json"
	// uuidPrefix and idPrefix make a URI of a request id: only a UUID has a namespace that
	// everybody knows.
	uuidPrefix = "urn:uuid:"
	idPrefix   = "urn:hookgate:request:"
	uuidLength = len("00000000-0000-0000-0000-000000000000")
)

// Write answers a vendor with the problem. requestID needs no escaping.
func (p Problem) Write(w http.ResponseWriter, requestID string) error {
	body := p.AppendDocument(make([]byte, 0, 256), requestID)
	h := w.Header()
	for name, value := range Header(requestID) {
		h.Set(name, value)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, err := w.Write(body)
	return err
}

// Header returns the fields that the answer to a request has, whatever the problem.
func Header(requestID string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		_ = yield("Content-Type", ContentType) && yield("Cache-Control", "no-store") && yield("X-Request-Id", requestID)
	}
}

// AppendDocument appends the problem as JSON. Nothing in it needs escaping: the words are
// ours, as problem_test.go checks.
func (p Problem) AppendDocument(b []byte, requestID string) []byte {
	b = append(b, `{"title":"`...)
	b = append(b, p.Title...)
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(p.Status), 10)
	b = append(b, `,"detail":"`...)
	b = append(b, p.Meaning...)
	b = append(b, `","instance":"`...)
	b = appendInstance(b, requestID)
	b = append(b, `","code":"`...)
	b = append(b, p.Code...)
	return append(b, `"}`...)
}

func appendInstance(b []byte, requestID string) []byte {
	prefix := idPrefix
	if len(requestID) == uuidLength && uuid.Validate(requestID) == nil {
		prefix = uuidPrefix
	}
	return append(append(b, prefix...), requestID...)
}
