// Package handover lets an HTTP server take the place of another one on the same
// address without the loss of a request.
//
// A reload of Caddy starts new servers and shuts the old ones down with
// http.Server.Shutdown. Three kinds of requests are lost then, without an answer and
// without a way for the client to know whether they were delivered:
//
//   - one that is sent on an idle connection just as Shutdown closes it (RFC 9112
//     section 9.3.1 leaves it to the client to try again, which none does with a POST);
//   - one that net/http reads while it shuts down: it is read, and dropped;
//   - a connection that the kernel has established and nobody has accepted yet. With
//     SO_REUSEPORT every server has a queue of its own, and closing its socket resets
//     what is in there.
//
// So a retired Listener passes on what its server has not begun to serve: idle
// connections, with what may have been read of them, go to the successor, busy ones
// as they fall idle. And new connections come over one socket, which outlives each
// server.
package handover
