package handover

import (
	"context"
	"net"
	"time"
)

// A client that is answered before it has sent all of its request must read the answer.
// If its connection is just closed, the kernel answers what still arrives with a reset,
// upon which many kernels drop the answer, too, that the client has not read yet (RFC
// 9112 section 9.6). A proxy in front makes 502 of that, and vendors send it again.
//
// net/http has a remedy of its own, but not for HTTP/1.0, nor for "Connection: close", nor
// where a middleware has put another reader into Request.Body, as Caddy does. So the end
// of such a connection is ours: our side of it is shut, what arrives is thrown away, and
// it is closed when the client has closed it, has sent nothing for a while, or has had
// its time.
const (
	lingerSilence = 500 * time.Millisecond // since the last byte that came
	lingerTime    = 5 * time.Second        // in all
	lingerBytes   = 4 << 20                // in all

	// mostLingering bounds those who linger at a time, to some 6 KiB each: in a flood of
	// clients who do not read, whoever comes last is reset. What is live counts several times,
	// for the collector lets the heap grow by a multiple of it.
	mostLingering = 1024
	lingerBuffer  = 2 << 10
)

var lingering = make(chan struct{}, mostLingering)

type contextKey struct{}

// ConnContext has to be called by the server, as its http.Server.ConnContext, for Linger.
func ConnContext(ctx context.Context, nc net.Conn) context.Context {
	if c := beneath(nc); c != nil {
		return context.WithValue(ctx, contextKey{}, c)
	}
	return ctx
}

// beneath returns our connection under those of other layers; nil: there is none.
func beneath(nc net.Conn) *conn {
	for nc != nil {
		if c := ours(nc); c != nil {
			return c
		}
		switch layer := nc.(type) {
		case interface{ NetConn() net.Conn }: // TLS
			nc = layer.NetConn()
		case interface{ Raw() net.Conn }: // the PROXY protocol
			nc = layer.Raw()
		default:
			return nil
		}
	}
	return nil
}

// Linger says that the answer to a request, by its context, does not wait for the rest of
// it. The server reads no more of the connection, and has to close it after the answer;
// then it lingers. Linger reports whether it can.
func Linger(ctx context.Context) bool {
	c, ok := ctx.Value(contextKey{}).(*conn)
	if !ok {
		return false
	}
	if _, ok := c.Conn.(interface{ CloseWrite() error }); !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lingers = true
	c.Conn.SetReadDeadline(LongAgo)
	return true
}

// LongAgo is a deadline upon which a wait ends.
var LongAgo = time.Unix(1, 0)

// linger closes the connection as a client can bear it, in the background.
func (c *conn) linger() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil { // the client has gone
		return c.Conn.Close()
	}
	select {
	case lingering <- struct{}{}:
	default:
		return c.Conn.Close()
	}
	go func() {
		discard(c.Conn)
		c.Conn.Close()
		<-lingering
	}()
	return nil
}

// discard reads what arrives on a connection, within the bounds.
func discard(nc net.Conn) {
	buffer := make([]byte, lingerBuffer)
	end := time.Now().Add(lingerTime)
	for left := lingerBytes; left > 0; {
		until := time.Now().Add(lingerSilence)
		if until.After(end) {
			until = end
		}
		nc.SetReadDeadline(until)
		n, err := nc.Read(buffer)
		if err != nil {
			return
		}
		left -= n
	}
}
