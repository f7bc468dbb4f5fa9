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
	// lingerTime is how long a connection that is to close still takes a body.
	lingerTime = 500 * time.Millisecond
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
	connection := http.NewResponseController(w)
	if drained(connection, r) && connection.SetReadDeadline(time.Time{}) == nil {
		return
	}
	w.Header().Set("Connection", "close")
	// After the answer net/http still reads on, so that a client in the middle of
	// sending gets the answer and not a reset connection; without a deadline, one
	// that sends nothing would hold the connection.
	_ = connection.SetReadDeadline(time.Now().Add(lingerTime))
}

// drained reads what has arrived of a body, and reports whether that was all of it.
func drained(connection *http.ResponseController, r *http.Request) bool {
	if r.ContentLength > settleBytes || r.Header.Get("Expect") != "" {
		// Reading would answer "100 Continue", and ask for the body we do not want.
		return false
	}
	if connection.SetReadDeadline(time.Now().Add(settleTime)) != nil {
		return false
	}
	n, err := io.CopyN(io.Discard, r.Body, settleBytes+1)
	return err == io.EOF && n <= settleBytes
}
