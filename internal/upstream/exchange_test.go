package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestOneConnection: requests one after the other share a connection, whatever the
// answers look like, as long as their end is told.
func TestOneConnection(t *testing.T) {
	for name, answer := range map[string]string{
		"length":     okAnswer,
		"no content": "HTTP/1.1 204 No Content\r\n\r\n",
		"empty":      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"chunked":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"long":       "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, answerAll(answer))
			tr := p.transport(t)
			for range 20 {
				do(t, tr, p.post(t, "event"))
			}
			if n := p.accepted.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// TestConnectionsThatEnd: an upstream that closes, says that it will, or sends more
// than was asked for gets the next request on another connection, and each only once.
func TestConnectionsThatEnd(t *testing.T) {
	for name, answer := range map[string]string{
		"closes without a word": okAnswer,
		"says so":               "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0":              "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"ends the body by it":   "HTTP/1.1 200 OK\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan struct{})
			p := newPeer(t, func(_ int, c net.Conn, r *bufio.Reader) {
				readRequest(r)
				reply(c, answer)
				_ = c.Close()
				closed <- struct{}{}
			})
			tr := p.transport(t)
			for n := range 20 {
				if _, body := do(t, tr, p.post(t, "event")); body != "ok" {
					t.Fatalf("body %q", body)
				}
				<-closed
				if got := int(p.accepted.Load()); got != n+1 {
					t.Fatalf("%d requests took %d connections", n+1, got)
				}
			}
		})
	}
}

// TestUnaskedData: what lies on a connection before a request was sent is no answer to it.
func TestUnaskedData(t *testing.T) {
	sent := make(chan struct{})
	p := newPeer(t, func(_ int, c net.Conn, r *bufio.Reader) {
		readRequest(r)
		reply(c, okAnswer)
		reply(c, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
		sent <- struct{}{}
		readRequest(r)
	})
	tr := p.transport(t)
	for range 5 {
		if _, body := do(t, tr, p.post(t, "event")); body != "ok" {
			t.Fatalf("body %q", body)
		}
		<-sent
	}
}

// TestNoMethod: what would be a request for another path is sent to nobody.
func TestNoMethod(t *testing.T) {
	p := newPeer(t, answerAll(okAnswer))
	for _, direct := range []bool{true, false} {
		tr := p.transport(t)
		tr.direct = direct
		r := p.post(t, "event")
		r.Method = "DELETE /orders/7?x="
		if _, err := tr.RoundTrip(r); err == nil {
			t.Errorf("sent, directly: %t", direct)
		}
	}
	if n := p.accepted.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// TestNoStatus: what no answer may have as its status is none.
func TestNoStatus(t *testing.T) {
	for _, status := range []string{"000", "099", "-10", "1x0"} {
		p := newPeer(t, answerAll("HTTP/1.1 "+status+" X\r\nContent-Length: 0\r\n\r\n"+okAnswer))
		if answer, err := p.transport(t).RoundTrip(p.post(t, "event")); err == nil {
			t.Errorf("%s is taken for %d", status, answer.StatusCode)
		}
	}
}

// TestEarlyAnswer: an upstream may answer, and close, without reading the body.
func TestEarlyAnswer(t *testing.T) {
	p := newPeer(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for { // the header alone
			line, err := r.ReadString('\n')
			if err != nil || line == "\r\n" {
				break
			}
		}
		reply(c, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, r)
	})
	tr := p.transport(t)
	answer, body := do(t, tr, p.post(t, strings.Repeat("x", maxSmall)))
	if answer.StatusCode != http.StatusRequestEntityTooLarge || body != "big" {
		t.Errorf("%d %q", answer.StatusCode, body)
	}
}

// TestInterimAnswers: they are passed on, are not the answer, and never end an exchange,
// however many there are.
func TestInterimAnswers(t *testing.T) {
	for _, direct := range []bool{true, false} {
		for _, tc := range []struct {
			code, times int
		}{{100, 1}, {103, 1}, {102, 10}, {103, 1000}} {
			interim := fmt.Sprintf("HTTP/1.1 %d Interim\r\nLink: </a>\r\n\r\n", tc.code)
			p := newPeer(t, answerAll(strings.Repeat(interim, tc.times)+okAnswer))
			tr := p.transport(t)
			tr.direct = direct
			var got []int
			answer, body := do(t, tr, listening(p.post(t, "event"), func(code int, header textproto.MIMEHeader) {
				if header.Get("Link") != "</a>" {
					t.Errorf("header %v", header)
				}
				got = append(got, code)
			}))
			if answer.StatusCode != http.StatusOK || body != "ok" || !slices.Equal(got, slices.Repeat([]int{tc.code}, tc.times)) {
				t.Errorf("directly %t, %d times %d: %d, %v", direct, tc.times, tc.code, answer.StatusCode, got)
			}
		}
	}
}

// TestEndlessInterimAnswers: their bytes are bounded all together, whatever each has.
func TestEndlessInterimAnswers(t *testing.T) {
	for _, direct := range []bool{true, false} {
		for name, interim := range map[string]string{
			"bare":   "HTTP/1.1 102 Processing\r\n\r\n",
			"filled": "HTTP/1.1 103 Early Hints\r\nLink: " + strings.Repeat("x", 1000) + "\r\n\r\n",
		} {
			p := newPeer(t, func(_ int, c net.Conn, r *bufio.Reader) {
				readRequest(r)
				for reply(c, strings.Repeat(interim, 1000)) {
				}
			})
			tr := p.transport(t)
			tr.direct = direct
			if _, err := tr.RoundTrip(listening(p.post(t, "event"), func(int, textproto.MIMEHeader) {})); !errors.Is(err, errHeaderTooLarge) {
				t.Errorf("%s, directly %t: %v", name, direct, err)
			}
		}
	}
}

// listening returns r with somebody who hears of interim answers, as the proxy does.
func listening(r *http.Request, hear func(int, textproto.MIMEHeader)) *http.Request {
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			hear(code, header)
			return nil
		},
	}))
}

// TestFailures: what is no answer is an error, of the right kind, and the connection
// is not used again.
func TestFailures(t *testing.T) {
	endless := "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Filler: "+strings.Repeat("x", 1000)+"\r\n", maxAnswerHeader/1000)
	for _, tc := range []struct {
		name, answer string
		check        func(error) bool
	}{
		{"closed without an answer", "", func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"closed in the header", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", func(err error) bool { return err != nil }},
		{"endless header", endless, func(err error) bool { return errors.Is(err, errHeaderTooLarge) }},
		{"switched unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", func(err error) bool { return errors.Is(err, errSwitched) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPeer(t, func(number int, c net.Conn, r *bufio.Reader) {
				readRequest(r)
				if number > 1 {
					reply(c, okAnswer)
					return
				}
				reply(c, tc.answer)
				_ = c.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, r)
			})
			tr := p.transport(t)
			if answer, err := tr.RoundTrip(p.post(t, "event")); !tc.check(err) {
				t.Errorf("%v, %v", answer, err)
			}
			if n := p.accepted.Load(); n != 1 {
				t.Fatalf("the request was sent %d times", n)
			}
			do(t, tr, p.post(t, "event"))
		})
	}
}

// TestBrokenBody: an answer that ends early is not taken for a whole one, however often
// it is read.
func TestBrokenBody(t *testing.T) {
	for name, answer := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
	} {
		p := newPeer(t, func(_ int, c net.Conn, r *bufio.Reader) {
			readRequest(r)
			reply(c, answer)
		})
		got, err := p.transport(t).RoundTrip(p.post(t, "event"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(got.Body)
		_, again := got.Body.Read(make([]byte, 10))
		if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(again, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v, then %v", name, err, again)
		}
	}
}

// TestTrailers of an answer arrive with the end of its body.
func TestTrailers(t *testing.T) {
	p := newPeer(t, answerAll("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"))
	answer, _ := do(t, p.transport(t), p.post(t, "event"))
	if got := answer.Trailer.Get("X-Sum"); got != "7" {
		t.Errorf("trailer %q", got)
	}
}

// TestHead: the length of what a GET would get is not that of the answer.
func TestHead(t *testing.T) {
	p := newPeer(t, answerAll("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"))
	tr := p.transport(t)
	for range 3 {
		r := p.post(t, "")
		r.Method, r.Body = http.MethodHead, nil
		if answer, body := do(t, tr, r); body != "" || answer.ContentLength != 1000 {
			t.Errorf("%d %q", answer.ContentLength, body)
		}
	}
	if n := p.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestClientLeaves: the end of a request's context ends the exchange, before the answer
// or in the middle of it, and the upstream sees its connection close.
func TestClientLeaves(t *testing.T) {
	for name, begin := range map[string]string{
		"before the answer": "", "in the header": "HTTP/1.1 200 OK\r\n", "in the body": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
	} {
		t.Run(name, func(t *testing.T) {
			begun, closed := make(chan struct{}), make(chan struct{})
			p := newPeer(t, func(_ int, c net.Conn, r *bufio.Reader) {
				readRequest(r)
				reply(c, begin)
				close(begun)
				_, _ = r.ReadByte()
				close(closed)
			})
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				<-begun
				leave()
			}()
			answer, err := p.transport(t).RoundTrip(p.post(t, "event").WithContext(ctx))
			if err == nil {
				_, err = io.ReadAll(answer.Body)
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want that the context was cancelled", err)
			}
			<-closed
		})
	}
}

// TestAbandonedBody: an answer that nobody reads to its end takes its connection along.
func TestAbandonedBody(t *testing.T) {
	closed := make(chan struct{})
	p := newPeer(t, func(_ int, c net.Conn, r *bufio.Reader) {
		readRequest(r)
		reply(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
		_, _ = r.ReadByte()
		close(closed)
	})
	answer, err := p.transport(t).RoundTrip(p.post(t, "event"))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	<-closed
	if _, err := answer.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("read after close: %v", err)
	}
}

// TestSlowAnswer: the header has a time limit, the body none.
func TestSlowAnswer(t *testing.T) {
	release := make(chan struct{})
	p := newPeer(t, func(number int, c net.Conn, r *bufio.Reader) {
		readRequest(r)
		if number == 1 {
			_, _ = r.ReadByte() // no answer
			return
		}
		reply(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok")
		<-release
		reply(c, "ay")
	})
	tr := p.transport(t)
	tr.timeout = 50 * time.Millisecond
	_, err := tr.RoundTrip(p.post(t, "event"))
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v is no timeout", err)
	}
	// The first answer's header had this long, and the body has to be waited for longer.
	tr.timeout = 5 * time.Second
	answer, err := tr.RoundTrip(p.post(t, "event"))
	if err != nil {
		t.Fatal(err)
	}
	expired, end := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer end()
	context.AfterFunc(expired, func() { close(release) })
	if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "okay" {
		t.Errorf("%q, %v", body, err)
	}
}

var errRevoked = errors.New("revoked meanwhile")

// TestBodyThatFails: nothing of a request whose body cannot be read reaches the
// upstream, and the caller learns why.
func TestBodyThatFails(t *testing.T) {
	p := newPeer(t, answerAll(okAnswer))
	tr := p.transport(t)
	r := p.post(t, "half")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("hal"), failing{}))
	if _, err := tr.RoundTrip(r); !errors.Is(err, errRevoked) {
		t.Errorf("%v", err)
	}
	r = p.post(t, "half")
	r.ContentLength++
	if _, err := tr.RoundTrip(r); !errors.Is(err, errBodyLength) {
		t.Errorf("%v", err)
	}
	if n := p.accepted.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errRevoked }

// TestUnixSocket goes the direct way as well.
func TestUnixSocket(t *testing.T) {
	path := t.TempDir() + "/s"
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	to, err := ParseAddress("unix/" + path)
	if err != nil {
		t.Fatal(err)
	}
	tr := New(to, Options{TryDuration: time.Second, DialTimeout: time.Second, ResponseHeaderTimeout: 5 * time.Second})
	defer tr.Close()
	for n := range 3 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://unix/x", strings.NewReader(fmt.Sprint("event ", n)))
		if err != nil {
			t.Fatal(err)
		}
		if _, body := do(t, tr, r); body != fmt.Sprint("event ", n) {
			t.Errorf("%q", body)
		}
	}
}
