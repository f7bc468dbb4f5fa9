package proof

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// inHeader returns the single line of a header. Of two lines another reader may believe the other one.
func inHeader(m *Message, name string) (string, Result) {
	switch lines := m.Header[name]; len(lines) {
	case 0:
		return "", Missing
	case 1:
		return lines[0], present(lines[0])
	}
	return "", Malformed
}

// inQuery returns the single value of a parameter.
func inQuery(raw, name string) (string, Result) {
	value, found := "", false
	for item := range strings.SplitSeq(raw, "&") {
		key, text, _ := strings.Cut(item, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != name {
			continue
		}
		if found {
			return "", Malformed
		}
		decoded, err := url.QueryUnescape(text)
		if err != nil {
			return "", Malformed
		}
		value, found = decoded, true
	}
	return value, present(value)
}

// withoutParameter returns a raw query without a parameter, and all else as it was.
func withoutParameter(raw, name string) string {
	kept := make([]string, 0, 8)
	for item := range strings.SplitSeq(raw, "&") {
		key, _, _ := strings.Cut(item, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != name {
			kept = append(kept, item)
		}
	}
	return strings.Join(kept, "&")
}

// inBody returns the text or the number that a JSON pointer leads to. It reads no further than to the
// value, and takes a name that stands twice before it as malformed: two readers may believe two of them.
func inBody(body []byte, path []string) (string, Result) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowInvalidUTF8(true))
	for _, token := range path {
		if result := descend(decoder, token); result != OK {
			return "", result
		}
	}
	value, err := decoder.ReadValue()
	if err != nil {
		return "", Malformed
	}
	switch value.Kind() {
	case '0':
		return string(value), OK
	case '"':
		text, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return "", Malformed
		}
		return string(text), present(string(text))
	case 'n':
		return "", Missing
	}
	return "", Malformed
}

// descend moves the decoder to a member of the value that it stands before.
func descend(decoder *jsontext.Decoder, token string) Result {
	opening, err := decoder.ReadToken()
	if err != nil {
		return Malformed
	}
	index := 0
	switch opening.Kind() {
	case '[':
		if index, err = strconv.Atoi(token); err != nil || index < 0 {
			return Missing
		}
	case '{':
	default:
		return Missing
	}
	for {
		switch decoder.PeekKind() {
		case '}', ']':
			return Missing
		case 0:
			return Malformed
		}
		if opening.Kind() == '{' {
			name, err := decoder.ReadToken()
			if err != nil {
				return Malformed
			}
			if name.String() == token {
				return OK
			}
		} else {
			if index == 0 {
				return OK
			}
			index--
		}
		if decoder.SkipValue() != nil {
			return Malformed
		}
	}
}

// pointer returns the reference tokens of a JSON pointer.
func pointer(text string) []string {
	if text == "" {
		return nil
	}
	tokens := strings.Split(text[1:], "/")
	for i, token := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
	}
	return tokens
}

// where is a place made ready.
type where struct {
	headers []string
	query   string
	body    []string
	pair    string
}

func (p *Place) ready() *where {
	if p == nil {
		return nil
	}
	return &where{headers: p.Header.canonical(), query: p.Query, body: pointer(p.Body), pair: p.Pair}
}

// inHead returns the value, if the place is not in the body.
func (w *where) inHead(m *Message, pairs []pair) (string, Result) {
	switch {
	case w.pair != "":
		return single(pairs, w.pair)
	case w.query != "":
		return inQuery(m.RawQuery, w.query)
	}
	return inHeader(m, w.headers[0])
}

// single returns the value of the one pair with this key.
func single(pairs []pair, key string) (string, Result) {
	value, found := "", false
	for _, pair := range pairs {
		if pair.key != key {
			continue
		}
		if found {
			return "", Malformed
		}
		value, found = pair.value, true
	}
	return value, present(value)
}
