package upstream

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// appendRequest writes a request with its body, as net/http would but for the order of
// the header's fields: sorting them costs as much as all else. It reports false, and has
// written nothing, where a request is not as usual.
func appendRequest(message *bytes.Buffer, r *http.Request, body []byte) bool {
	agent, named := r.Header["User-Agent"]
	if r.Close || !named || r.Host == "" || strings.Trim(r.Host, hostBytes) != "" || r.Method == "" || r.Method == http.MethodConnect {
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
		out = appendField(out, "User-Agent", agent[0])
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
			out = appendField(out, name, value)
		}
	}
	out = append(append(out, "\r\n"...), body...)
	message.Write(out)
	return true
}

// hostBytes are what a usual Host is made of.
const hostBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]"

var noNewlines = strings.NewReplacer("\r", " ", "\n", " ")

func appendField(out []byte, name, value string) []byte {
	if strings.ContainsAny(value, "\r\n") {
		value = noNewlines.Replace(value)
	}
	return append(append(append(append(out, name...), ": "...), textproto.TrimString(value)...), "\r\n"...)
}
