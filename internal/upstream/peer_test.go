package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// peer is an upstream that does as it is told with each connection.
type peer struct {
	net.Listener
	accepted atomic.Int32
}

// newPeer serves every connection with serve, which is told its number from 1, and
// closes it then.
func newPeer(t *testing.T, serve func(number int, c net.Conn, r *bufio.Reader)) *peer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{Listener: listener}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			number := int(p.accepted.Add(1))
			go func() {
				defer c.Close()
				serve(number, c, bufio.NewReader(c))
			}()
		}
	}()
	return p
}

// answerAll reads requests and gives each the same raw answer, until the connection ends.
func answerAll(answer string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, r *bufio.Reader) {
		for readRequest(r) && reply(c, answer) {
		}
	}
}

func readRequest(r *bufio.Reader) bool {
	request, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, request.Body)
	return err == nil
}

func reply(c net.Conn, answer string) bool {
	_, err := io.WriteString(c, answer)
	return err == nil
}

// transport returns a transport to the peer.
func (p *peer) transport(t *testing.T) *Transport {
	t.Helper()
	to, err := ParseAddress(p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	tr := New(to, Options{TryDuration: time.Second, DialTimeout: time.Second, ResponseHeaderTimeout: 20 * time.Second})
	t.Cleanup(tr.Close)
	return tr
}

// post returns a request with a body to the peer.
func (p *peer) post(t *testing.T, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.Addr().String()+"/hook", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// do sends r, and returns the answer with its body.
func do(t *testing.T, tr *Transport, r *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer, string(body)
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
