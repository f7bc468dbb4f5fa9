package redistest

import (
	"net"
	"sync"
	"testing"
)

// Proxy stands between clients and a server, to cut those clients off while others
// still reach it, or to lead them to another server.
type Proxy struct {
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	moved  sync.Cond // on mu: state or links changed
	state  proxyState
	target string
	links  map[*link]bool
	left   int // bytes of answers until the proxy becomes then, where it is above 0
	then   proxyState
}

type proxyState int

const (
	passing proxyState = iota
	cut
	stalled
	swallowing
)

// link is one connection through the proxy.
type link struct {
	client, server net.Conn
	lost           bool // nothing comes through any more, ever
	closed         bool
}

// NewProxy passes connections on to the server until the test ends.
func NewProxy(t testing.TB, server *Server) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, target: server.Addr(), links: make(map[*link]bool)}
	p.moved.L = &p.mu
	p.running.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.Cut()
		p.running.Wait()
	})
	return p
}

// Addr returns host:port of the proxy.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// URL returns the redis:// address of the server through the proxy.
func (p *Proxy) URL() string { return "redis://" + p.Addr() }

// Cut closes every connection, and every new one at once.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = cut
	p.closeAll()
}

// Stall holds everything back until Restore, as a network does that loses packets for
// a while.
func (p *Proxy) Stall() { p.become(stalled) }

// CutAfter cuts every connection once so many bytes more of answers have passed, and lets
// new ones through.
func (p *Proxy) CutAfter(answered int) { p.limit(answered, cut) }

// StallAfter stalls once so many bytes more of answers have passed.
func (p *Proxy) StallAfter(answered int) { p.limit(answered, stalled) }

func (p *Proxy) limit(answered int, then proxyState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.then = answered, then
}

// count notes that so many bytes of answers have come. It needs mu.
func (p *Proxy) count(n int) {
	if p.left <= 0 {
		return
	}
	if p.left -= n; p.left > 0 {
		return
	}
	if p.then == cut {
		p.closeAll()
	} else {
		p.state = p.then
	}
}

// BlackHole swallows everything. Connections stay open, and those of now are dead for
// good: a firewall has forgotten them.
func (p *Proxy) BlackHole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = swallowing
	for l := range p.links {
		l.lost = true
	}
	p.moved.Broadcast()
}

// Restore lets connections through again.
func (p *Proxy) Restore() { p.become(passing) }

// Retarget leads to another server from now on, and closes what led to the old one.
func (p *Proxy) Retarget(server *Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = server.Addr()
	p.state = passing
	p.closeAll()
}

func (p *Proxy) become(state proxyState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
	p.moved.Broadcast()
}

func (p *Proxy) closeAll() {
	for l := range p.links {
		p.close(l)
	}
	p.moved.Broadcast()
}

// close needs mu.
func (p *Proxy) close(l *link) {
	l.closed = true
	l.client.Close()
	l.server.Close()
	delete(p.links, l)
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.open(client) })
	}
}

func (p *Proxy) open(client net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		client.Close()
		return
	}
	l := &link{client: client, server: server}
	p.mu.Lock()
	defer p.mu.Unlock()
	l.lost = p.state == swallowing
	p.links[l] = true
	if p.state == cut || p.target != target {
		p.close(l)
		return
	}
	p.running.Go(func() { p.pass(l, client, server) })
	p.running.Go(func() { p.pass(l, server, client) })
}

func (p *Proxy) pass(l *link, from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err == nil && p.through(l, from, n) {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.close(l)
			p.moved.Broadcast()
			return
		}
	}
}

// through waits while the proxy is stalled, and reports whether to pass data on.
func (p *Proxy) through(l *link, from net.Conn, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if from == l.server {
		p.count(n)
	}
	for p.state == stalled && !l.lost && !l.closed {
		p.moved.Wait()
	}
	return !l.lost
}
