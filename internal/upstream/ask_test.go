package upstream

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

// TestAskedForOneAnswer: an answer that the upstream sends unasked, right behind one that
// was not taken whole, is nobody's.
func TestAskedForOneAnswer(t *testing.T) {
	const size = 4096 // of a reader's buffer, which is empty again behind the first answer
	head := "HTTP/1.1 404 Not Found\r\nX-Filler: \r\nContent-Length: 2\r\n\r\nno"
	first := strings.Replace(head, "X-Filler: ", "X-Filler: "+strings.Repeat("x", size-len(head)), 1)
	p := newPeer(t, func(number int, c net.Conn, r *bufio.Reader) {
		for i := 0; readRequest(r); i++ {
			answer := okAnswer
			if number == 1 && i == 0 {
				answer = first + "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nunasked"
			}
			if !reply(c, answer) {
				return
			}
		}
	})
	tr := p.transport(t)
	asked, err := tr.Ask([]byte("GET /one HTTP/1.1\r\nHost: h\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := asked.Receive(p.post(t, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(answer.Body); string(body) != "no" || err != nil {
		t.Fatalf("%q, %v", body, err)
	}
	_ = answer.Body.Close()
	if _, body := do(t, tr, p.post(t, "event")); body != "ok" {
		t.Errorf("the next request got %q", body)
	}
}
