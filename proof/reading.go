package proof

import (
	"encoding/base64"
	"encoding/hex"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is looked at of a message is bounded: each signature may cost a verification.
const (
	maxItems      = 32 // of pairs or of a list
	maxSignatures = 8
	maxPublic     = 4    // signatures of public keys, which cost fifty times as much
	maxSignature  = 1024 // bytes; a signature of RSA has 512 with a key of 4096 bits
)

// reading is what a message presents.
type reading struct {
	signatures [][]byte
	timestamp  string
	id         string
}

type pair struct{ key, value string }

func (n Names) canonical() []string {
	var names []string
	for _, name := range n {
		names = append(names, textproto.CanonicalMIMEHeaderKey(name))
	}
	return names
}

// read returns what a message presents; of its head alone, if so wanted.
func (p *Program) read(m *Message, headOnly bool) (reading, Result) {
	var found reading
	var pairs []pair
	if !headOnly || p.signature.body == nil {
		texts, result := p.presented(m)
		if result != OK {
			return found, result
		}
		for _, text := range texts {
			pairs = p.items(pairs, text)
		}
		found.signatures = p.signatures(pairs)
		if len(found.signatures) == 0 {
			return found, Malformed
		}
	}
	if p.timestamp != nil && !(headOnly && p.timestamp.inBody(p)) {
		text, result := p.timestamp.value(m, pairs)
		if result != OK {
			return found, result
		}
		found.timestamp = text
		if result := p.judgeTime(text, m.Arrived); result != OK {
			return found, result
		}
	}
	if p.id != nil && !(headOnly && p.id.inBody(p)) && (p.idNeeded || p.id.body == nil) {
		text, result := p.id.value(m, pairs)
		// An id that is not needed only serves to recognise a repeat, which has other means.
		if p.idNeeded && result != OK || result == Malformed {
			return found, result
		}
		found.id = text
	}
	return found, OK
}

// inBody reports whether the place is in the body: itself, or as a pair of a signature that is.
func (w *where) inBody(p *Program) bool {
	return w.body != nil || w.pair != "" && p.signature.body != nil
}

func (w *where) value(m *Message, pairs []pair) (string, Result) {
	if w.body != nil {
		return inBody(m.Body, w.body)
	}
	return w.inHead(m, pairs)
}

// presented returns the texts at the place of the signature.
func (p *Program) presented(m *Message) ([]string, Result) {
	if len(p.signature.headers) < 2 {
		text, result := p.signature.value(m, nil)
		return []string{text}, result
	}
	var texts []string
	for _, name := range p.signature.headers {
		switch text, result := inHeader(m, name); result {
		case OK:
			texts = append(texts, text)
		case Malformed:
			return nil, Malformed
		}
	}
	if texts == nil {
		return nil, Missing
	}
	return texts, OK
}

// items appends the items of a text. Those of the forms whole and list have no key.
func (p *Program) items(to []pair, text string) []pair {
	form := &p.scheme.Signature
	if form.Form == "" || form.Form == "whole" {
		return append(to, pair{value: text})
	}
	for item := range strings.SplitSeq(text, form.Separator) {
		if len(to) == maxItems {
			break
		}
		item = strings.Trim(item, " \t")
		switch {
		case form.Form == "list":
			to = append(to, pair{value: item})
		default:
			if key, value, ok := strings.Cut(item, form.Assign); ok {
				to = append(to, pair{strings.Trim(key, " \t"), strings.Trim(value, " \t")})
			}
		}
	}
	return to
}

// signatures returns those items that are signatures and can be read.
func (p *Program) signatures(items []pair) [][]byte {
	most := maxSignatures
	if p.algorithm.kind == public {
		most = maxPublic
	}
	var all [][]byte
	for _, item := range items {
		if p.scheme.Signature.Form == "pairs" && !slices.Contains(p.scheme.Signature.Keys, item.key) {
			continue
		}
		text, ok := strings.CutPrefix(item.value, p.scheme.Prefix)
		if !ok || text == "" || len(text) > 2*maxSignature {
			continue
		}
		signature, ok := p.decode(text)
		if !ok || p.algorithm.size > 0 && len(signature) != p.algorithm.size {
			continue
		}
		if all = append(all, signature); len(all) == most {
			break
		}
	}
	return all
}

// decode decodes a signature. Hexadecimal has any case, base64 any padding, for vendors have them.
func (p *Program) decode(text string) ([]byte, bool) {
	var signature []byte
	var err error
	switch p.encoding {
	case "hex":
		signature, err = hex.DecodeString(text)
	case "base64":
		signature, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	case "base64url":
		signature, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	default:
		signature = []byte(text)
	}
	return signature, err == nil
}

func (p *Program) encode(signature []byte) string {
	switch p.encoding {
	case "hex":
		return hex.EncodeToString(signature)
	case "base64":
		return base64.StdEncoding.EncodeToString(signature)
	case "base64url":
		return base64.RawURLEncoding.EncodeToString(signature)
	}
	return string(signature)
}

// judgeTime compares a timestamp with the arrival of the request.
func (p *Program) judgeTime(text string, arrived time.Time) Result {
	sent, ok := parseTime(p.scheme.Timestamp.Unit, text)
	if !ok {
		return Malformed
	}
	tolerance := p.scheme.Tolerance
	switch {
	case tolerance == TolerateAll:
		return OK
	case tolerance == 0:
		tolerance = DefaultTolerance
	}
	switch age := arrived.Sub(sent); {
	case age > time.Duration(tolerance):
		return TimestampOld
	case age < -time.Duration(tolerance):
		return TimestampNew
	}
	return OK
}

// parseTime reads a timestamp. Numbers have at most 13 digits, which in milliseconds lasts until the
// year 2286, and no signs or blanks: they are signed as they stand.
func parseTime(unit, text string) (time.Time, bool) {
	if unit == "rfc3339" {
		sent, err := time.Parse(time.RFC3339, text)
		return sent, err == nil
	}
	if text == "" || len(text) > 13 {
		return time.Time{}, false
	}
	var number int64
	for _, digit := range []byte(text) {
		if digit < '0' || digit > '9' {
			return time.Time{}, false
		}
		number = number*10 + int64(digit-'0')
	}
	if unit == "ms" || unit == "s-or-ms" && len(text) == 13 {
		return time.UnixMilli(number), true
	}
	return time.Unix(number, 0), true
}

func formatTime(unit string, at time.Time) string {
	switch unit {
	case "rfc3339":
		return at.UTC().Format(time.RFC3339)
	case "ms":
		return strconv.FormatInt(at.UnixMilli(), 10)
	}
	return strconv.FormatInt(at.Unix(), 10)
}
