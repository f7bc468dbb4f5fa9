// Package senders posts webhooks with the HTTP clients that vendors use, each called as
// its users call it, through the built binary to an upstream that records what arrives.
//
// Every sender is one program in programs or, for Node, in node. It reads a line of JSON
// for each start of a client from its standard input, and writes a line with the answers:
//
//	{"requests": [{"url": "...", "headers": {...}, "how": "chunked", "file": "...", "pause": 10}]}
//	{"answers": [{"status": 401, "body": "..."}]}
//
// Its first line is {"version": "..."}. The requests of a line are made one after the
// other with one client, which keeps its connection if it can; the next line has a new
// one. How is "length" (the bytes of the file, whose length is known), "chunked" (the file
// is read while it is sent, in pieces with a pause in milliseconds between them, and no
// length is said), "form" (the sender encodes the pairs itself) or "empty". With "expect" the
// sender waits for 100 Continue before it sends the body. An answer that did not come is
// {"status": 0, "error": "..."}.
package senders
