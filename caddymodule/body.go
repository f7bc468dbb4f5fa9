package caddymodule

import (
	"io"
	"net/http"
	"time"
)

const (
	// settleBytes and settleTime bound what is read of a refused request's body.
	settleBytes = 64 << 10
	settleTime  = 20 * time.Millisecond
)

// settleBody prepares the connection for an answer to a request whose body nobody
// has read. Left alone, net/http would wait for up to 256 KiB of it before it sends
// the answer, for as long as the client cares to withhold them. So what has already
// arrived is drained, which keeps the connection usable; if that is not all, the
// connection closes after the answer.
func settleBody(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 || r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return // streams of HTTP/2 and 3 end without their body
	}
	if r.ContentLength > settleBytes || r.Header.Get("Expect") != "" {
		// Reading would answer "100 Continue", and ask for the body we do not want.
		w.Header().Set("Connection", "close")
		return
	}
	deadline := http.NewResponseController(w)
	if err := deadline.SetReadDeadline(time.Now().Add(settleTime)); err != nil {
		w.Header().Set("Connection", "close")
		return
	}
	n, err := io.CopyN(io.Discard, r.Body, settleBytes+1)
	if err != io.EOF || n > settleBytes {
		w.Header().Set("Connection", "close")
		return
	}
	if deadline.SetReadDeadline(time.Time{}) != nil {
		w.Header().Set("Connection", "close")
	}
}
