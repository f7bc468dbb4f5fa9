package fronts

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// Clients have addresses of their own on loopback, which are no trusted proxies.
const (
	vendor    = "127.0.0.77"
	elsewhere = "127.0.0.78" // not on the list of belvo
	allowed   = "127.0.0.50" // on it
	forged    = "203.0.113.66"
)

const host = "hooks.example.com"

// request is what a client writes, byte for byte.
type request struct {
	from   string // address of the client; "": vendor
	method string // "": POST
	target string
	host   string // "": host
	fields []string
	body   string
	framed framing
}

type framing int

const (
	byLength framing = iota
	chunked
	unframed // no Content-Length, no Transfer-Encoding: no body
	bare     // nor a Content-Type
	expected // by length, with Expect: 100-continue
)

// head returns the request line and the header.
func (r request) head() string {
	method, to := r.method, r.host
	if method == "" {
		method = http.MethodPost
	}
	if to == "" {
		to = host
	}
	fields := append([]string{"Host: " + to, "User-Agent: vendor/1.0"}, r.fields...)
	if r.framed != bare {
		fields = append(fields, "Content-Type: application/json")
	}
	switch r.framed {
	case chunked:
		fields = append(fields, "Transfer-Encoding: chunked")
	case byLength:
		fields = append(fields, fmt.Sprintf("Content-Length: %d", len(r.body)))
	case expected:
		fields = append(fields, fmt.Sprintf("Content-Length: %d", len(r.body)), "Expect: 100-continue")
	}
	return fmt.Sprintf("%s %s HTTP/1.1\r\n%s\r\n\r\n", method, r.target, strings.Join(fields, "\r\n"))
}

// framedBody is the body as it goes over the wire: chunked in uneven chunks.
func (r request) framedBody() string {
	if r.framed != chunked {
		return r.body
	}
	var text strings.Builder
	for rest, size := r.body, 1; rest != ""; size = size*3 + 1 {
		size = min(size, len(rest))
		fmt.Fprintf(&text, "%x\r\n%s\r\n", size, rest[:size])
		rest = rest[size:]
	}
	text.WriteString("0\r\n\r\n")
	return text.String()
}

// answer is what a client reads; err says why it read none.
type answer struct {
	status   int
	header   http.Header
	body     string
	err      error
	interims []int
}

func (a answer) String() string {
	if a.err != nil {
		return fmt.Sprintf("no answer: %v", a.err)
	}
	return fmt.Sprintf("%d %.200q", a.status, a.body)
}

// code of the problem, or "".
func (a answer) code() string {
	var problem struct{ Code string }
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") || json.Unmarshal([]byte(a.body), &problem) != nil {
		return ""
	}
	return problem.Code
}

// send writes a request over a connection of its own and reads the answer, both at
// once: what a client does that reads while it is still sending.
func send(trust *tls.Config, addr string, r request) answer {
	conn, err := dial(trust, addr, r.from)
	if err != nil {
		return answer{err: err}
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(hookgatetest.Patience))
	// Writing may fail where the answer is there to be read.
	write := func(text string) { io.WriteString(conn, text) }
	if r.framed == expected {
		go write(r.head())
	} else {
		go write(r.head() + r.framedBody())
	}
	reader := bufio.NewReader(conn)
	var interims []int
	for {
		got, err := http.ReadResponse(reader, &http.Request{Method: r.method})
		if err != nil {
			return answer{err: err, interims: interims}
		}
		if got.StatusCode < 200 {
			interims = append(interims, got.StatusCode)
			if r.framed == expected && got.StatusCode == http.StatusContinue {
				go write(r.body)
			}
			continue
		}
		body, err := io.ReadAll(got.Body)
		if err != nil {
			return answer{err: fmt.Errorf("after the header of a %d: %w", got.StatusCode, err), interims: interims}
		}
		return answer{got.StatusCode, got.Header, string(body), nil, interims}
	}
}

func dial(trust *tls.Config, addr, from string) (net.Conn, error) {
	if from == "" {
		from = vendor
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: hookgatetest.Patience}
	if trust != nil {
		return tls.DialWithDialer(dialer, "tcp", addr, trust)
	}
	return dialer.Dial("tcp", addr)
}

// wantTaken checks that the upstream took the request.
func wantTaken(t *testing.T, a answer) {
	t.Helper()
	if a.err != nil || a.status != http.StatusOK || a.body != `{"taken":true}` {
		t.Fatalf("%s, want the upstream's answer", a)
	}
}

// wantProblem checks that the answer is a refusal of Hookgate's, and reports whether it is.
func wantProblem(t *testing.T, a answer, status int, code string) bool {
	t.Helper()
	if a.err != nil || a.status != status || a.code() != code {
		t.Errorf("%s, want %d %s", a, status, code)
		return false
	}
	return true
}
