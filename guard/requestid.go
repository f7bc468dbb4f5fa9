package guard

import (
	"encoding/base64"
	"strings"

	"github.com/hookgate/hookgate/credential"
)

// HeaderRequestID is the header by which one id of a request goes from the vendor to
// Matcher, back, and into every log.
const HeaderRequestID = "X-Request-Id"

// maxRequestID is the longest id of a client's that is kept.
const maxRequestID = 128

// repeatingHeaders are those that may have the same id as HeaderRequestID.
var repeatingHeaders = map[string]bool{HeaderRequestID: true, HeaderIdempotencyKey: true, HeaderPlainIdempotencyKey: true, "X-Correlation-Id": true}

// RequestID returns the id that a client gave its request, "" where it gave none that can
// be kept. It goes into logs, so that nothing may pass that can be a secret: no token of
// ours, and no word that the client also presents in a place where secrets are.
func RequestID(header map[string][]string, target string) string {
	lines := header[HeaderRequestID]
	if len(lines) != 1 || len(lines[0]) == 0 || len(lines[0]) > maxRequestID || !madeOf(lines[0], idByte) {
		return ""
	}
	id := lines[0]
	if credential.HasToken(id) {
		return ""
	}
	path, query, _ := strings.Cut(target, "?")
	if strings.Contains(query, id) {
		return ""
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == id {
			return ""
		}
	}
	for name, values := range header {
		if repeatingHeaders[name] {
			continue
		}
		for _, value := range values {
			if value == id || isSecretOf(value, id) {
				return ""
			}
		}
	}
	return id
}

// isSecretOf reports whether word is what an Authorization header, or one like it, presents.
func isSecretOf(value, word string) bool {
	_, presented, ok := strings.Cut(value, " ")
	if !ok {
		return false
	}
	presented = strings.TrimLeft(presented, " ")
	if presented == word {
		return true
	}
	pair, err := base64.StdEncoding.DecodeString(presented)
	return err == nil && strings.HasSuffix(string(pair), word)
}

// SetRequestID gives a request its id, in place of whatever an upstream may take for one.
func SetRequestID(header map[string][]string, id string) {
	for name := range header {
		if isRequestIDAlias(name) {
			delete(header, name)
		}
	}
	header[HeaderRequestID] = []string{id}
}

// isRequestIDAlias reports whether an upstream may take a header for HeaderRequestID that
// is another.
func isRequestIDAlias(name string) bool {
	return name != HeaderRequestID && isAlias(name, HeaderRequestID)
}
