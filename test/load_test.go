package test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// load is clients that post one request after the other, and never a second time
// what failed: each of them counts. net/http's own client would repeat some
// requests unseen.
type load struct {
	answered atomic.Int64

	stop    chan struct{}
	clients sync.WaitGroup
	mu      sync.Mutex
	failed  map[string]int // requests without the answer wanted, by what happened
}

// vendorClient is one client: which requests it makes, and whether it keeps a connection
// for as long as the server lets it.
type vendorClient struct {
	request   string // on the wire
	keepAlive bool
	pause     time.Duration // between requests
}

func startLoad(t testing.TB, addr string, clients ...vendorClient) *load {
	l := &load{stop: make(chan struct{}), failed: make(map[string]int)}
	for _, c := range clients {
		l.clients.Go(func() { l.run(addr, c) })
	}
	t.Cleanup(l.end)
	return l
}

// end ends the load, every request answered.
func (l *load) end() {
	l.mu.Lock()
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.mu.Unlock()
	l.clients.Wait()
}

func (l *load) run(addr string, c vendorClient) {
	var conn net.Conn
	var r *bufio.Reader
	drop := func() {
		if conn != nil {
			conn.Close()
		}
		conn = nil
	}
	defer drop()
	for {
		select {
		case <-l.stop:
			return
		case <-time.After(c.pause):
		}
		how := "on a connection in use"
		if conn == nil {
			how = "on a new connection"
			var err error
			if conn, err = net.DialTimeout("tcp", addr, hookgatetest.Patience); err != nil {
				l.fail("no connection", err)
				continue
			}
			r = bufio.NewReader(conn)
		}
		conn.SetDeadline(time.Now().Add(hookgatetest.Patience))
		again, err := ask(conn, r, c.request)
		if err != nil {
			l.fail(how, err)
		} else {
			l.answered.Add(1)
		}
		if err != nil || !again || !c.keepAlive {
			drop()
		}
	}
}

// ask makes a request, and reports whether the connection takes another one.
func ask(conn net.Conn, r *bufio.Reader, request string) (again bool, err error) {
	if _, err := io.WriteString(conn, request); err != nil {
		return false, err
	}
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return false, err
	}
	if response.StatusCode != http.StatusOK {
		return false, fmt.Errorf("status %d", response.StatusCode)
	}
	return !response.Close, nil
}

func (l *load) fail(how string, err error) {
	var op *net.OpError
	what := how + ": " + err.Error()
	if errors.As(err, &op) {
		what = how + ": " + op.Op + ": " + op.Err.Error() // without addresses
	}
	l.mu.Lock()
	l.failed[what]++
	l.mu.Unlock()
}

// wantNoneFailed ends the load and checks that every request got its answer.
func (l *load) wantNoneFailed(t testing.TB) {
	t.Helper()
	l.end()
	if l.answered.Load() == 0 {
		t.Error("there was no load")
	}
	for what, n := range l.failed {
		t.Errorf("%d of %d requests: %s", n, l.answered.Load(), what)
	}
}
