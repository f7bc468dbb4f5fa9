package proof

import (
	"bytes"
	"mime"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
)

// template is the bytes that are signed.
type template struct {
	parts []part
}

// part is literal text, a variable, or an optional group of parts.
type part struct {
	variable string // "" for literal text and groups
	name     string // of a header or a parameter
	literal  []byte
	group    []part // left out where one of its variables is absent
}

// spelled are the names that Caddy's adapter of Caddyfiles gives to variables.
var spelled = map[string]string{
	"http.request.method": "method", "http.request.uri.path": "path", "http.request.uri.query": "query", "http.request.body": "body",
}

// parseTemplate reads a template: {variable}, [an optional part], and \ before what is neither.
func parseTemplate(text string) (template, error) {
	var t template
	var group []part
	to, grouped := &t.parts, false
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			*to = append(*to, part{literal: []byte(literal.String())})
			literal.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
			if i == len(text) || !strings.ContainsRune(`[]{}\`, rune(text[i])) {
				return t, invalid("signed", `\ stands before [ ] { } or \ alone`)
			}
			literal.WriteByte(text[i])
		case '{':
			flush()
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return t, invalid("signed", "{ without }")
			}
			variable, err := parseVariable(text[i+1 : i+end])
			if err != nil {
				return t, err
			}
			*to = append(*to, variable)
			i += end
		case '[':
			flush()
			if grouped {
				return t, invalid("signed", "[ within [ ]")
			}
			group, grouped = nil, true
			to = &group
		case ']':
			flush()
			if !grouped {
				return t, invalid("signed", `] without [; \] is one itself`)
			}
			grouped, to = false, &t.parts
			t.parts = append(t.parts, part{group: group})
		default:
			literal.WriteByte(text[i])
		}
	}
	flush()
	if grouped {
		return t, invalid("signed", `[ without ]; \[ is one itself`)
	}
	return t, nil
}

func parseVariable(text string) (part, error) {
	if short, ok := spelled[text]; ok {
		text = short
	}
	switch text {
	case "body", "timestamp", "id", "method", "url", "path", "query", "form", "secret":
		return part{variable: text}, nil
	}
	for _, prefix := range []string{"header.", "http.request.header."} {
		if name, ok := strings.CutPrefix(text, prefix); ok && validHeader(name) {
			return part{variable: "header.", name: textproto.CanonicalMIMEHeaderKey(name)}, nil
		}
	}
	for _, prefix := range []string{"query.", "http.request.uri.query."} {
		if name, ok := strings.CutPrefix(text, prefix); ok && name != "" {
			lower := strings.HasSuffix(name, "|lower")
			variable := "query."
			if lower {
				variable, name = "query|lower", strings.TrimSuffix(name, "|lower")
			}
			return part{variable: variable, name: name}, nil
		}
	}
	return part{}, invalid("signed", "unknown variable; it knows {body} {timestamp} {id} {method} {url} {path} {query} {form} {secret} {header.NAME} {query.NAME}")
}

// has reports whether a variable stands anywhere in the template.
func (t template) has(variable string) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.has(variable, "") })
}

func (t template) hasHeader(name string) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.has("header.", name) })
}

func (p part) has(variable, name string) bool {
	return p.variable == variable && (name == "" || p.name == name) ||
		slices.ContainsFunc(p.group, func(q part) bool { return q.has(variable, name) })
}

// ofMessage reports whether anything of a message is in the template.
func (t template) ofMessage() bool {
	return slices.ContainsFunc(t.parts, part.ofMessage)
}

func (p part) ofMessage() bool {
	return p.variable != "" && p.variable != "secret" || slices.ContainsFunc(p.group, part.ofMessage)
}

// signedBytes are the bytes of a template, in pieces: the body is not copied.
type signedBytes struct {
	pieces [][]byte
}

func (s *signedBytes) add(text string) { s.pieces = append(s.pieces, []byte(text)) }

// joined returns the bytes as one.
func (s *signedBytes) joined() []byte {
	if len(s.pieces) == 1 {
		return s.pieces[0]
	}
	return bytes.Join(s.pieces, nil)
}

// bytes are those that are signed of a message. What is needed and is not there once is malformed:
// taken as empty, it would let two different messages have the same bytes.
func (t template) bytes(m *Message, found *reading, secret []byte) (signedBytes, Result) {
	signed := signedBytes{pieces: make([][]byte, 0, len(t.parts)+4)}
	for i := range t.parts {
		if result := t.parts[i].into(&signed, m, found, secret); result != OK {
			return signed, Malformed
		}
	}
	return signed, OK
}

// into appends the bytes of a part. It is Missing where what it names is absent.
func (p *part) into(to *signedBytes, m *Message, found *reading, secret []byte) Result {
	var value string
	result := OK
	switch p.variable {
	case "":
		if p.group == nil {
			to.pieces = append(to.pieces, p.literal)
			return OK
		}
		before := len(to.pieces)
		for i := range p.group {
			switch result := p.group[i].into(to, m, found, secret); result {
			case OK:
			case Missing:
				to.pieces = to.pieces[:before]
				return OK
			default:
				return result
			}
		}
		return OK
	case "body":
		to.pieces = append(to.pieces, m.Body)
		return OK
	case "secret":
		to.pieces = append(to.pieces, secret)
		return OK
	case "timestamp":
		value, result = found.timestamp, present(found.timestamp)
	case "id":
		value, result = found.id, present(found.id)
	case "method":
		value = m.Method
	case "path":
		value = m.Path
	case "query":
		value = m.RawQuery
	case "url":
		value = m.url()
	case "form":
		value, result = m.form()
	case "header.":
		value, result = inHeader(m, p.name)
	case "query.":
		value, result = inQuery(m.RawQuery, p.name)
	case "query|lower":
		value, result = inQuery(m.RawQuery, p.name)
		value = strings.ToLower(value)
	}
	if result == OK {
		to.add(value)
	}
	return result
}

func present(value string) Result {
	if value == "" {
		return Missing
	}
	return OK
}

// url is the URL that the vendor posted to.
func (m *Message) url() string {
	if m.RawQuery == "" {
		return m.PublicURL + m.Path
	}
	return m.PublicURL + m.Path + "?" + m.RawQuery
}

// form is Twilio's canonical form: the names and values of a form, sorted, each value of a name once.
// twilio-node does so, in getExpectedTwilioSignature; twilio-go takes the first value of a name alone.
func (m *Message) form() (string, Result) {
	if !m.isForm() {
		return "", OK
	}
	fields, err := url.ParseQuery(string(m.Body))
	if err != nil {
		return "", Malformed
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names {
		values := fields[name]
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			text.WriteString(name)
			text.WriteString(value)
		}
	}
	return text.String(), OK
}

func (m *Message) isForm() bool {
	content, result := inHeader(m, "Content-Type")
	if result != OK {
		return false
	}
	kind, _, err := mime.ParseMediaType(content)
	return err == nil && kind == "application/x-www-form-urlencoded"
}
