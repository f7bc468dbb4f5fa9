// Package api is the resource API on the wire: what requests and answers of
// /v1/credentials and /v1/audit look like, for the server, for the command line and
// for tests. The tags behind the JSON names are what huma validates by.
package api
