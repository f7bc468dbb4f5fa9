// Package lane serves the plain case of a request on the bytes of its connection: HTTP/1.1
// in the narrow form in which senders of webhooks write it. Whatever is not plain is
// declined unread, and goes to the server of net/http, which decides as if the lane were
// not there.
//
// It carries the same decision out as every other request: the gate behind it is the same
// one. What it saves is the work of net/http's server around each request, and Caddy's.
package lane
