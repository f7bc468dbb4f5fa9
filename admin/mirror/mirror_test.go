package mirror

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
)

func mirrorOf(t *testing.T, h http.HandlerFunc) *Mirror {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	m, err := New(Config{URL: server.URL, Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// TestAnswerThatCannotBeRead: where an answer breaks off Matcher may have done what it was
// asked for, and where it is too large it is not Matcher's.
func TestAnswerThatCannotBeRead(t *testing.T) {
	for name, test := range map[string]struct {
		write func(io.Writer)
		want  error
	}{
		"broken off": {func(w io.Writer) {
			fmt.Fprint(w, `{"token":"a","cre`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, ErrNoAnswer},
		"too large": {func(w io.Writer) { w.Write(bytes.Repeat([]byte(" "), maxAnswer+1)) }, ErrAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			m := mirrorOf(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusCreated)
				test.write(w)
			})
			if _, err := m.MintCallback(t.Context(), Caller{Authorization: "Bearer jwt"}, ""); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// TestEnded: 204 is what Matcher publishes. Whatever else sounds like an end, the list has the
// last word on.
func TestEnded(t *testing.T) {
	id := uuid.New()
	list := func(revoked string) string {
		return fmt.Sprintf(`{"credentials":[{"id":%q,"createdAt":"2026-01-02T03:04:05Z"%s}]}`, id, revoked)
	}
	for _, test := range []struct {
		name   string
		status int
		list   string
		want   bool
	}{
		{"204", 204, "<html>", true},
		{"a page of another server", 200, "<html>", false},
		{"200, and it is live", 200, list(""), false},
		{"200, and it is revoked", 200, list(`,"revokedAt":"2026-01-02T03:04:06Z"`), true},
		{"404, and it is live", 404, list(""), false},
		{"404, and it is not there", 404, `{"credentials":[]}`, true},
		{"500", 500, `{"credentials":[]}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := mirrorOf(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, test.list) })
			if got := m.Ended(t.Context(), Caller{Authorization: "Bearer jwt"}, id, &Answer{Status: test.status}); got != test.want {
				t.Errorf("%t, want %t", got, test.want)
			}
		})
	}
}
