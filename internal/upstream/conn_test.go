package upstream

import (
	"bufio"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestIdleConnectionsAge: one that nobody needs is closed after a minute, one that was
// used in between later.
func TestIdleConnectionsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pool idle
		defer pool.close()
		open := func() (ours *conn, closed func() bool) {
			near, far := net.Pipe()
			gone := make(chan struct{})
			go func() {
				_, _ = far.Read(make([]byte, 1))
				close(gone)
			}()
			return &conn{Conn: near}, func() bool {
				synctest.Wait()
				select {
				case <-gone:
					return true
				default:
					return false
				}
			}
		}
		first, firstClosed := open()
		second, secondClosed := open()
		pool.put(first)
		time.Sleep(idleTimeout / 2)
		pool.put(second)
		if firstClosed() || secondClosed() {
			t.Error("closed before its time")
		}
		time.Sleep(idleTimeout / 2)
		if !firstClosed() || secondClosed() {
			t.Errorf("after a minute: first closed %v, second %v", firstClosed(), secondClosed())
		}
		time.Sleep(idleTimeout / 2)
		if !secondClosed() || len(pool.conns) != 0 || pool.sweep != nil {
			t.Error("the second one was forgotten")
		}
	})
}

// TestClose closes what is idle at once, and what is in use when its answer is read.
func TestClose(t *testing.T) {
	closed, answer := make(chan int, 2), make(chan struct{})
	p := newPeer(t, func(number int, c net.Conn, r *bufio.Reader) {
		if number == 2 {
			readRequest(r)
			<-answer
			reply(c, okAnswer)
		}
		answerAll(okAnswer)(number, c, r)
		closed <- number
	})
	tr := p.transport(t)
	do(t, tr, p.post(t, "event"))
	held := tr.idle.take(time.Now())
	second := make(chan struct{})
	go func() {
		defer close(second)
		do(t, tr, p.post(t, "event")) // on a connection of its own
	}()
	for p.accepted.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	tr.idle.put(held)
	tr.Close()
	if got := <-closed; got != 1 {
		t.Errorf("connection %d closed first", got)
	}
	close(answer)
	<-second
	if got := <-closed; got != 2 {
		t.Errorf("connection %d closed then", got)
	}
}
