package gate

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// maxDecoded bounds what becomes of maxPeek bytes.
const maxDecoded = 16 * maxPeek

// readable reports whether decoded knows a content coding.
func readable(encoding string) bool {
	switch strings.ToLower(encoding) {
	case "", "identity", "gzip", "x-gzip":
		return true
	}
	return false
}

// decoded returns a body as it is without its content coding; nil where it is not of it.
func decoded(body []byte, encoding string) []byte {
	if !strings.HasSuffix(strings.ToLower(encoding), "gzip") {
		return body
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	if body, err = io.ReadAll(io.LimitReader(r, maxDecoded)); err != nil {
		return nil
	}
	return body
}

// acceptReadable keeps the upstream from codings in which its answer could not be read.
// The client gets the answer as the upstream made it.
func acceptReadable(header http.Header) {
	const name = "Accept-Encoding"
	if lines := header[name]; len(lines) > 0 {
		if all := strings.Join(lines, ", "); Readable(all) != all {
			header[name] = []string{Readable(all)}
		}
	}
}

// Readable returns what the upstream is told in place of an Accept-Encoding.
func Readable(accepted string) string {
	accepts := func(coding string) bool {
		coding, _, _ = strings.Cut(coding, ";")
		coding = strings.TrimSpace(coding)
		return coding != "" && readable(coding)
	}
	var kept []string
	all := true
	for coding := range strings.SplitSeq(accepted, ",") {
		if accepts(coding) {
			kept = append(kept, strings.TrimSpace(coding))
		} else if strings.TrimSpace(coding) != "" {
			all = false
		}
	}
	switch {
	case all:
		return accepted
	case len(kept) == 0:
		return "identity"
	}
	return strings.Join(kept, ", ")
}
