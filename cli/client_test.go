package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

const operatorJWT = "eyJ.operators.jwt"

// clientOf returns a client of a server that answers as told.
func clientOf(t *testing.T, answer http.HandlerFunc) *operatorClient {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	base, err := serverURL(server.URL+"/below/", false)
	if err != nil {
		t.Fatal(err)
	}
	return newOperatorClient(base, operatorJWT, "")
}

func TestOperatorClientSends(t *testing.T) {
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.RequestURI != "/below/v1/credentials?a=b+c" || string(body) != `{"reason":"x"}` {
			t.Errorf("%s %s %s", r.Method, r.RequestURI, body)
		}
		for name, want := range map[string]string{
			"Authorization": "Bearer " + operatorJWT, "Content-Type": "application/json", "Idempotency-Key": "once", "User-Agent": "hookgate",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id":"1"}`)
	})
	var got struct{ ID string }
	status, err := client.do(t.Context(), call{
		method: "POST", path: api.CredentialsPath, query: url.Values{"a": {"b c"}}, body: api.ChangeReasonRequest{Reason: "x"}, key: "once",
	}, &got)
	if err != nil || status != http.StatusCreated || got.ID != "1" {
		t.Errorf("%d, %+v, %v", status, got, err)
	}
}

func TestOperatorClientRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"problem": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", "r-1")
			w.WriteHeader(422)
			io.WriteString(w, `{"code":"HKG-2422","detail":"No.","instance":"urn:uuid:r-2","errors":[{"location":"body.kind","message":"wrong"}]}`)
		}, "HKG-2422: No.\n  body.kind: wrong\n  request id r-1"},
		"problem whose header is lost": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			io.WriteString(w, `{"code":"HKG-2002","detail":"No.","instance":"urn:uuid:r-2"}`)
		}, "HKG-2002: No.\n  request id r-2"},
		"another server's words": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>nginx</html>", http.StatusBadGateway)
		}, "status 502 Bad Gateway, and not in the words of Hookgate"},
		"nonsense": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, "not as Hookgate does"},
		"too many requests": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
			io.WriteString(w, `{"code":"HKG-2429","detail":"Later."}`)
		}, "HKG-2429: Later."},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{")
		}, "may have been done"},
	} {
		t.Run(name, func(t *testing.T) {
			var got json.RawMessage
			_, err := clientOf(t, tc.answer).do(t.Context(), call{method: "GET", path: "/v1/x"}, &got)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), operatorJWT) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestOperatorClientFollowsNoRedirect: whoever can make the server redirect would get
// the bearer token.
func TestOperatorClientFollowsNoRedirect(t *testing.T) {
	asked := 0
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	if _, err := client.do(t.Context(), call{method: "GET", path: "/v1/x"}, nil); err == nil || !strings.Contains(err.Error(), "redirects") || asked != 1 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}

func TestOperatorClientWaitsForItsTurn(t *testing.T) {
	asked := 0
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked < 3 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(429)
			return
		}
		if body, _ := io.ReadAll(r.Body); string(body) != `{}` {
			t.Errorf("sent again: %s", body)
		}
	})
	if _, err := client.do(t.Context(), call{method: "POST", path: "/v1/x", body: api.ChangeReasonRequest{}}, nil); err != nil || asked != 3 {
		t.Errorf("asked %d times, %v", asked, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if await(ctx, "5") {
		t.Error("waits although nobody waits for it")
	}
}

func TestServerDown(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	base, err := serverURL(server.URL, false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = newOperatorClient(base, operatorJWT, "").do(t.Context(), call{method: "GET", path: "/v1/x"}, nil)
	if err == nil || !strings.Contains(err.Error(), base.Host+" does not answer") {
		t.Error(err)
	}
}

// TestPagesEnd: a server that repeats its cursor does not keep a command for ever.
func TestPagesEnd(t *testing.T) {
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("cursor") {
		case "":
			io.WriteString(w, `{"entries":[],"nextCursor":"a"}`) // empty, and yet not the last
		case "a":
			io.WriteString(w, `{"entries":[1,2],"nextCursor":"b"}`)
		default:
			io.WriteString(w, `{"entries":[3],"nextCursor":"b"}`)
		}
	})
	list := client.pages(api.AuditPath, "entries", url.Values{})
	for _, want := range []int{0, 2} {
		if more, err := list.next(t.Context(), 10); !more || err != nil || len(list.entries) != want {
			t.Fatalf("%v, %v, %d entries", more, err, len(list.entries))
		}
	}
	if _, err := list.next(t.Context(), 10); err == nil {
		t.Error("a repeated cursor was followed")
	}
}

// TestExitCodes: scripts tell a refusal from a mistake of their own.
func TestExitCodes(t *testing.T) {
	for want, err := range map[int]error{ExitFailed: &apiError{}, ExitUsage: errors.Join(errNoToken, Usagef("no"))} {
		cmd := &cobra.Command{}
		cmd.SetErr(io.Discard)
		var ended *ExitError
		if got := exit(cmd, err); !errors.As(got, &ended) || ended.Code != want {
			t.Errorf("%v: %v, want %d", err, got, want)
		}
	}
}
