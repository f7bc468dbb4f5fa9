// Package vendors tries the schemes of package proof against the libraries that vendors
// publish: what a library signs is verified, and what is signed by a scheme is taken by
// the library. Some sign for credentials of the built binary, too. It is a module of its
// own, to keep these libraries out of ours.
//
// Those for Node are called by one program, node/vendors.js. It reads a line of JSON for
// each call from its standard input, and writes a line with what came of it:
//
//	{"lib": "stripe", "op": "sign", "scheme": "stripe", "secret": "...", "method": "POST", "url": "...",
//	 "headers": {...}, "body": "...", "id": "...", "timestamp": 1790000000, "now": 1790000000}
//	{"headers": {"stripe-signature": "..."}}
//
// Op is "sign", whose answer has the headers that the library adds and, where the proof is
// in the body, the body; or "verify", whose answer is {"ok": true}, or has what the library
// said in "error". Timestamp is when the request is signed and now is what the library's
// clock shows, both in Unix seconds. The program's first line is
// {"version": "...", "libraries": [{"name": "...", "sign": true, "verify": true}]}.
package vendors
