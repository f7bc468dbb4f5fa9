package guard

import (
	"strings"

	"golang.org/x/net/http/httpguts"
)

// validMethod reports whether a method is a token, as RFC 9110 section 9.1 has it. A
// stream of HTTP/2 may bring any bytes as its method, and with a space in it the request
// line towards the upstream would have another path than the one that was decided on.
func validMethod(method string) bool {
	return httpguts.ValidHeaderFieldName(method) // which is a token, too
}

// splitTarget returns the path of a request target and its query with the '?'.
func splitTarget(target string) (path, query string) {
	if i := strings.IndexByte(target, '?'); i >= 0 {
		return target[:i], target[i:]
	}
	return target, ""
}

// cleanQuery reports whether a query consists of what may stand in a request line. Over
// HTTP/2 and 3 a client can send a space in it, and the upstream would read what is
// behind the space as the version of the protocol.
func cleanQuery(query string) bool {
	return madeOf(query, textByte) && strings.IndexByte(query, ' ') < 0
}

// canonicalPath reports whether path can be read in one way only. Routers differ
// in whether they decode escapes, merge slashes, resolve dot segments, cut path
// parameters or take a backslash for a slash; a path that uses any of these may be
// one resource to the guard and another to Matcher, so none of them is let through.
// An absolute URL, an authority and "*" are no paths either.
func canonicalPath(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	start := 1 // of the current segment
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			if classes[path[i]]&pathByte == 0 {
				return false
			}
			continue
		}
		switch path[start:i] {
		case "":
			if i < len(path) { // "//"; a trailing slash is only an empty last segment
				return false
			}
		case ".", "..":
			return false
		}
		start = i + 1
	}
	return true
}
