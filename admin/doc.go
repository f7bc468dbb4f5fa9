// Package admin is the HTTP API for operators: it mints, lists, rotates and revokes
// the credentials of the operator's tenant, byte-compatible with Matcher's own
// published endpoints. It is a plain http.Handler on a store and on the policies of the
// guards that take what it mints; it knows nothing of Caddy.
//
// Every refusal is an RFC 9457 problem document with a code of package problem.
package admin
