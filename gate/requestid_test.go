package gate

import (
	"net/http"
	"slices"
	"testing"

	"github.com/hookgate/hookgate/guard"
)

// TestRequestIDOfAnswers: every answer has the id of its request alone, and so have the
// request to the upstream and the line of the log.
func TestRequestIDOfAnswers(t *testing.T) {
	for _, test := range []struct {
		name     string
		refused  bool
		upstream http.HandlerFunc
		status   int
	}{
		{name: "passed on", status: http.StatusAccepted, upstream: func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-Request-Id"] = []string{"theirs", "theirs too"}
			w.WriteHeader(http.StatusAccepted)
		}},
		{name: "without a status", status: http.StatusOK, upstream: func(http.ResponseWriter, *http.Request) {}},
		{name: "behind an interim answer", status: http.StatusOK, upstream: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", "theirs")
			w.WriteHeader(http.StatusEarlyHints)
		}},
		{name: "another one in place of it", status: http.StatusServiceUnavailable, upstream: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", "theirs")
			w.Header().Set("Content-Type", jsonType)
			w.WriteHeader(http.StatusConflict)
			w.Write([]byte(`{"code":"MTCH-0018"}`))
		}},
		{name: "held, and passed on", status: http.StatusConflict, upstream: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", "theirs")
			w.Header().Set("Content-Type", jsonType)
			w.WriteHeader(http.StatusConflict)
			w.Write([]byte(`{"code":"MTCH-0501"}`))
		}},
		{name: "refused", refused: true, status: http.StatusUnauthorized},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, logs := testGate(t)
			if test.refused {
				g.Keyring = &ring{revokeAt: 1}
			}
			forwarded := make(chan []string, 1)
			response := before(t, g, func(w http.ResponseWriter, r *http.Request) {
				forwarded <- r.Header["X-Request-Id"]
				test.upstream(w, r)
			})
			if response.StatusCode != test.status {
				t.Fatalf("status %d", response.StatusCode)
			}
			if got := response.Header[guard.HeaderRequestID]; !slices.Equal(got, []string{requestID}) {
				t.Errorf("X-Request-Id: %q", got)
			}
			if !test.refused {
				if got := <-forwarded; !slices.Equal(got, []string{requestID}) {
					t.Errorf("forwarded as %q", got)
				}
			}
			for _, line := range logs.All() {
				fields := line.ContextMap()
				if fields["request_id"] != requestID || fields["route"] != "/v1/exceptions/{exceptionId}/callback" || fields["client_ip"] != "127.0.0.1" {
					t.Errorf("%s: %v", line.Message, fields)
				}
			}
			if test.refused != (logs.Len() == 1) && test.status != http.StatusServiceUnavailable {
				t.Errorf("%d lines", logs.Len())
			}
		})
	}
}
