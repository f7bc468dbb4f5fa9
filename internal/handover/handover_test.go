//go:build linux

package handover

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long to wait for what must come.
const patience = 30 * time.Second

// server is one server of an address, as a configuration of Caddy has it.
type server struct {
	http.Server
	t        testing.TB
	listener *Listener
}

// listen binds addr as Caddy does.
func listen(t testing.TB, addr string) net.Listener {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if failed := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }); failed != nil {
			return failed
		}
		return err
	}}
	config.SetMultipathTCP(false)
	ln, err := config.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// serve starts a server on addr that answers with its name, the path and the body.
func serve(t testing.TB, name, addr string, settings ...func(*http.Server)) *server {
	t.Helper()
	wrapped, err := Wrap(listen(t, addr))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, listener: wrapped}
	s.ConnState = ConnState
	for _, set := range settings {
		set(&s.Server)
	}
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", name, r.URL.Path, body)
	})
	go s.Serve(wrapped)
	t.Cleanup(func() { s.Close() })
	return s
}

func (s *server) addr() string { return s.listener.Addr().String() }

// replacedBy ends s as a reload does.
func (s *server) replacedBy(next *server) {
	s.t.Helper()
	next.listener.TakeOver()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s.listener.Retire(ctx)
	if ctx.Err() != nil {
		s.t.Error("connections are left")
	}
	if err := s.Shutdown(ctx); err != nil {
		s.t.Error(err)
	}
}

// client is a connection on which requests are made.
type client struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &client{conn, t, bufio.NewReader(conn)}
}

// want reads an answer and checks its body, of which the server's name is left out
// where want does not have one.
func (c *client) want(want string) *http.Response {
	c.t.Helper()
	response, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("instead of %q: %v", want, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.HasSuffix(string(body), want) {
		c.t.Fatalf("%q, %v; want %q", body, err, want)
	}
	return response
}

const get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

func TestConnectionsOutliveServers(t *testing.T) {
	s := serve(t, "0", "127.0.0.1:0")
	used, unused, half := dial(t, s.addr()), dial(t, s.addr()), dial(t, s.addr())
	io.WriteString(used, get)
	used.want("0 /a ")
	for i := range 5 {
		next := serve(t, fmt.Sprint(i+1), s.addr())
		name := fmt.Sprint(i)
		io.WriteString(used, get) // nobody has taken over
		used.want(name + " /a ")
		io.WriteString(half, get[:10])
		var sent sync.WaitGroup
		sent.Go(func() { io.WriteString(half, get[10:]) })
		s.replacedBy(next)
		sent.Wait()
		half.want(" /a ")
		io.WriteString(used, get)
		used.want(fmt.Sprint(i+1) + " /a ")
		s = next
	}
	io.WriteString(unused, get)
	unused.want("5 /a ")
}

// TestRequestsStayWhole: wherever a connection changes hands, in a stream of requests
// that do not wait for answers, each is served once, whole and in order.
func TestRequestsStayWhole(t *testing.T) {
	var stream string
	var want []string
	for i, body := range []string{"", "0123456789", ""} {
		path := fmt.Sprintf("/%d", i)
		if body == "" {
			stream += "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"
		} else {
			stream += fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
		}
		want = append(want, path+" "+body)
	}
	s := serve(t, "", "127.0.0.1:0")
	for at := range len(stream) + 1 {
		c := dial(t, s.addr())
		io.WriteString(c, stream[:at])
		next := serve(t, "", s.addr())
		var sent sync.WaitGroup
		sent.Go(func() { io.WriteString(c, stream[at:]) })
		s.replacedBy(next)
		sent.Wait()
		for _, answer := range want {
			c.want(" " + answer)
		}
		c.Close()
		s = next
	}
}

// TestNewConnectionsAreKept: while servers come and go, a connection that has been
// made is served.
func TestNewConnectionsAreKept(t *testing.T) {
	s := serve(t, "", "127.0.0.1:0")
	stop := make(chan struct{})
	var clients sync.WaitGroup
	transport := &http.Transport{DisableKeepAlives: true}
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := http.NewRequest(http.MethodPost, "http://"+s.addr()+"/", struct{ io.Reader }{strings.NewReader("x")})
				if err != nil {
					t.Error(err)
					return
				}
				response, err := transport.RoundTrip(r)
				if err != nil {
					t.Error(err)
					return
				}
				response.Body.Close()
			}
		})
	}
	last := s
	for range 200 {
		next := serve(t, "", s.addr())
		last.replacedBy(next)
		last = next
	}
	close(stop)
	clients.Wait()
}

// TestIdleTimeIsInherited: to its new server a connection is a new one, and would have
// the time of a header to send the next request, not that which it may be idle.
func TestIdleTimeIsInherited(t *testing.T) {
	const brief, long = 100 * time.Millisecond, time.Hour
	within := func(addr string, header, idle time.Duration) *server {
		return serve(t, "", addr, func(s *http.Server) { s.ReadHeaderTimeout, s.IdleTimeout = header, idle })
	}
	ended := func(c *client) {
		t.Helper()
		rest, err := io.ReadAll(c.r)
		if err != nil || strings.Contains(string(rest), "200 OK") {
			t.Fatalf("%q, %v; want the end", rest, err)
		}
	}
	s := within("127.0.0.1:0", brief, long)
	used := dial(t, s.addr())
	io.WriteString(used, get)
	used.want("/a ")
	for range 3 { // it is passed on more than once
		next := within(s.addr(), brief, long)
		s.replacedBy(next)
		s = next
	}
	ended(dial(t, s.addr())) // a header's time is over
	io.WriteString(used, get)
	used.want("/a ")
	// Each later request has its own time, too, be it the first of a server or not.
	next := within(s.addr(), brief, long)
	s.replacedBy(next)
	io.WriteString(used, get)
	used.want("/a ")
	ended(dial(t, next.addr()))
	io.WriteString(used, get)
	used.want("/a ")
	last := within(s.addr(), brief, long)
	next.replacedBy(last)
	io.WriteString(used, get[:10])
	ended(used)

	s = within("127.0.0.1:0", long, brief)
	used = dial(t, s.addr())
	io.WriteString(used, get)
	used.want("/a ")
	s.replacedBy(within(s.addr(), long, brief))
	ended(used)
}

// TestSuccessorThatFails: what does not take over takes nothing.
func TestSuccessorThatFails(t *testing.T) {
	s := serve(t, "old", "127.0.0.1:0")
	c := dial(t, s.addr())
	for range 3 {
		failed := serve(t, "new", s.addr())
		failed.Close()
		io.WriteString(c, get)
		c.want("old /a ")
		other := dial(t, s.addr())
		io.WriteString(other, get)
		other.want("old /a ")
	}
}

// TestSlowRequest: a request that is served for longer than anybody waits is answered,
// and the client told not to send another one.
func TestSlowRequest(t *testing.T) {
	s := serve(t, "old", "127.0.0.1:0")
	arrived, release := make(chan struct{}), make(chan struct{})
	s.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	})
	c := dial(t, s.addr())
	io.WriteString(c, get)
	<-arrived
	serve(t, "new", s.addr()).listener.TakeOver()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.listener.Retire(ctx)
	down := make(chan error)
	s.RegisterOnShutdown(func() { close(release) })
	go func() { down <- s.Shutdown(context.Background()) }()
	if answer := c.want(""); !answer.Close {
		t.Error("the connection may be used again")
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

// TestLastServer: without a successor nothing is passed on, and nobody waits.
func TestLastServer(t *testing.T) {
	s := serve(t, "", "127.0.0.1:0")
	c := dial(t, s.addr())
	io.WriteString(c, get)
	c.want("/a ")
	s.listener.TakeOver()
	s.listener.Retire(t.Context())
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.r.ReadByte(); err != io.EOF {
		t.Errorf("%v", err)
	}
	if _, err := net.Dial("tcp", s.addr()); err == nil {
		t.Error("somebody listens")
	}
	addressesMu.Lock()
	defer addressesMu.Unlock()
	if len(addresses) > 0 {
		t.Errorf("left behind: %v", addresses)
	}
}

// TestUnderTLS: below another layer there is nothing that another server could take.
func TestUnderTLS(t *testing.T) {
	plain, err := Wrap(listen(t, "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Listener.Close()
	s.Listener, s.Config.ConnState = plain, ConnState
	s.StartTLS()
	defer s.Close()
	get := func() {
		response, err := s.Client().Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	get()
	next, err := Wrap(listen(t, plain.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	next.TakeOver()
	plain.Retire(t.Context())
	get()
}
