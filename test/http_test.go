package test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

func newClient(t testing.TB) *http.Client {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       hookgatetest.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is a response, read to its end.
type answer struct {
	status int
	proto  string
	header http.Header
	body   []byte
}

// send makes a request; headers are "Name: value", spelled as given.
func (g *gate) send(t testing.TB, method, url string, body io.Reader, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header[name] = append(r.Header[name], value)
	}
	response, err := g.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

func (g *gate) get(t testing.TB, url string, headers ...string) answer {
	t.Helper()
	return g.send(t, http.MethodGet, url, nil, headers...)
}

func (g *gate) post(t testing.TB, url, body string, headers ...string) answer {
	t.Helper()
	return g.send(t, http.MethodPost, url, strings.NewReader(body), headers...)
}

const (
	callbackPath = "/v1/exceptions/7d4f/callback"
	webhooksPath = "/v1/discovery/webhooks/"
)

// use posts with a token as its owner would.
func (g *gate) use(t testing.TB, c credential) answer {
	t.Helper()
	if c.vendor != "" {
		return g.post(t, g.Vendors+c.path(), "{}")
	}
	return g.post(t, g.Vendors+callbackPath, "{}", "X-Callback-Token: "+c.token)
}

func read(t testing.TB, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Proto, response.Header, body}
}

func wantStatus(t testing.TB, a answer, status int) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
}

// wantProblem checks that an answer is a problem document as every refusal is one.
func wantProblem(t testing.TB, a answer, status int, code string) {
	t.Helper()
	wantStatus(t, a, status)
	var problem struct {
		Title, Detail, Instance, Code string
		Status                        int
	}
	if err := json.Unmarshal(a.body, &problem); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	id := a.header.Get("X-Request-Id")
	switch {
	case a.header.Get("Content-Type") != "application/problem+json":
		t.Fatalf("Content-Type: %q", a.header["Content-Type"])
	case problem.Code != code || problem.Status != status || problem.Title != http.StatusText(status) || problem.Detail == "":
		t.Fatalf("want status %d and code %s: %s", status, code, a.body)
	case len(id) != 36 || problem.Instance != "urn:uuid:"+id:
		t.Fatalf("X-Request-Id %q and instance %q", id, problem.Instance)
	}
}

// connection is a client that writes what it likes.
type connection struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

// dial connects to the vendors' listener.
func (g *gate) dial(t testing.TB) *connection {
	t.Helper()
	return dial(t, g.Vendors)
}

// dial connects to the server of a base URL.
func dial(t testing.TB, base string) *connection {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(hookgatetest.Patience))
	return &connection{conn, t, bufio.NewReader(conn)}
}

// write sends lines with CRLF, and an empty line after them.
func (c *connection) write(lines ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads the answer to a request of this method.
func (c *connection) answer(method string) answer {
	c.t.Helper()
	response, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		c.t.Fatal(err)
	}
	return read(c.t, response)
}

// wantEnd checks that the server has closed the connection.
func (c *connection) wantEnd() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); len(rest) > 0 || err != nil {
		c.t.Fatalf("the connection goes on: %q, %v", rest, err)
	}
}

// decimalLength is what Content-Length says of a body.
func decimalLength(body string) string { return strconv.Itoa(len(body)) }

// hexLength is the size line of a chunk.
func hexLength(chunk string) string { return strconv.FormatInt(int64(len(chunk)), 16) }
