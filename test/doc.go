// Package test runs the hookgate binary as a process, with a real redis-server or
// the embedded store behind it and an upstream that records what reaches it, and
// checks what vendors, operators and Matcher see.
//
// The binary is built once; HOOKGATE_BINARY names a ready one instead.
package test
