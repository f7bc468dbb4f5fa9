package gate

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/internal/upstream"
)

// TestCredentialThatIsRenamedWhileTheBodyArrives: no whole request reaches Matcher under the
// label that the credential had before, whichever way it goes and however it is framed.
func TestCredentialThatIsRenamedWhileTheBodyArrives(t *testing.T) {
	for framing, sends := range map[string][2]string{
		"length":  {"Content-Length: 5\r\n\r\nhell", "o"},
		"chunked": {"Transfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n", "1\r\no\r\n0\r\n\r\n"},
	} {
		for _, direct := range []bool{false, true} {
			for _, hold := range []bool{false, true} {
				var whole []string
				begun := make(chan struct{})
				matcher := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					_, err := io.ReadFull(r.Body, make([]byte, 4))
					close(begun)
					if err != nil {
						return
					}
					if last, err := io.ReadAll(r.Body); err == nil && len(last) == 1 {
						whole = append(whole, r.Header.Get(guard.HeaderExternalSystem))
					}
				}))
				var transport http.RoundTripper = &http.Transport{DisableKeepAlives: true}
				if direct {
					to, err := upstream.ParseAddress(matcher.URL)
					if err != nil {
						t.Fatal(err)
					}
					ours := upstream.New(to, upstream.Options{DialTimeout: patience, ResponseHeaderTimeout: patience})
					defer ours.Close()
					transport = ours
				}
				g, _ := testGate(t)
				g.Policy.KeyFromBody = hold
				g.Keyring = &ring{renameAt: 2}
				front := proxied(t, g, matcher, transport)
				conn, err := net.Dial("tcp", front.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				io.WriteString(conn, "POST "+callbackPath+" HTTP/1.1\r\nHost: x\r\nX-Callback-Token: "+callbackToken+"\r\n"+sends[0])
				if framing == "chunked" && !hold { // each chunk is sent on at once, and the header before it
					<-begun
				}
				io.WriteString(conn, sends[1])
				answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				said, _ := io.ReadAll(answer.Body)
				conn.Close()
				front.Close()
				matcher.Close() // which waits for what it is still reading

				got, want, sent := answer.StatusCode, http.StatusServiceUnavailable, []string(nil)
				if hold { // nothing was said before the body was there
					want, sent = http.StatusOK, []string{"new"}
				}
				if got != want || !slices.Equal(whole, sent) {
					t.Errorf("%s, direct %v, held %v: %d, and Matcher got whole requests of %q", framing, direct, hold, got, whole)
				}
				if !hold && (answer.Header.Get("Retry-After") == "" || !strings.Contains(string(said), "HKG-1503")) {
					t.Errorf("%s, direct %v: %v %s", framing, direct, answer.Header, said)
				}
				if counted := g.Server.(*server).outcomes; !slices.Equal(counted, []guard.Outcome{guard.Allowed}) {
					t.Errorf("%s, direct %v, held %v: counted as %s", framing, direct, hold, counted)
				}
			}
		}
	}
}
