package upstream

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hookgate/hookgate/internal/wire"
)

// appendRequest writes a request with its body, as net/http would but for the order of
// the header's fields: sorting them costs as much as all else. It reports false, and has
// written nothing, where a request is not as usual.
func appendRequest(message *bytes.Buffer, r *http.Request, body []byte) bool {
	agent, named := r.Header["User-Agent"]
	if r.Close || !named || !UsualHost(r.Host) || r.Method == "" || r.Method == http.MethodConnect {
		return false
	}
	target := r.URL.RequestURI()
	if !httpguts.ValidHeaderFieldValue(target) || strings.IndexByte(target, '\t') >= 0 {
		return false
	}
	out := message.AvailableBuffer()
	out = append(append(append(append(out, r.Method...), ' '), target...), " HTTP/1.1\r\nHost: "...)
	out = append(append(out, r.Host...), "\r\n"...)
	if len(agent) > 0 && agent[0] != "" {
		out = wire.AppendField(out, "User-Agent", agent[0])
	}
	if len(body) > 0 || r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
		out = append(strconv.AppendInt(append(out, "Content-Length: "...), int64(len(body)), 10), "\r\n"...)
	}
	for name, values := range r.Header {
		switch name {
		case "Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer":
			continue
		}
		if !httpguts.ValidHeaderFieldName(name) {
			continue
		}
		for _, value := range values {
			out = wire.AppendField(out, name, value)
		}
	}
	out = append(append(out, "\r\n"...), body...)
	message.Write(out)
	return true
}

// UsualHost reports whether a Host is written as it is.
func UsualHost(host string) bool { return host != "" && strings.Trim(host, hostBytes) == "" }

// hostBytes are what a usual Host is made of.
const hostBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]"
