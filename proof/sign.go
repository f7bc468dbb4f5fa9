package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
)

// Sign returns the message with the proof that a vendor would send with it, at m.Arrived and as the
// event of this id. Headers, query and body of the returned message are those to send. The secret of a
// scheme with public keys is the private key in PEM.
func Sign(s Scheme, secret, id string, m Message) (Message, error) {
	p, err := Compile(s)
	if err != nil {
		return m, err
	}
	if strings.TrimSpace(secret) == "" {
		return m, invalid("secret", "it is empty")
	}
	var shared []byte
	if p.algorithm.kind != public {
		if shared, err = sharedKey(s.Key, secret); err != nil {
			return m, err
		}
	}
	if s.Own == OwnAdyenItems {
		m.Body, err = signAdyen(shared, m.Body)
		return m, err
	}
	m.Header = maps.Clone(m.Header)
	if m.Header == nil {
		m.Header = make(map[string][]string)
	}
	signer := signer{Program: p, m: m}
	if err := signer.identify(id); err != nil {
		return m, err
	}
	signature, err := signer.signature(secret, shared)
	if err != nil {
		return m, err
	}
	err = signer.put(p.signature, signer.presented(s.Prefix+p.encode(signature)))
	return signer.m, err
}

// signer fills in a message.
type signer struct {
	*Program
	m     Message
	found reading
	pairs []pair // that stand before the signature
}

// identify puts timestamp, id and digest at their places.
func (s *signer) identify(id string) (err error) {
	if at := s.timestamp; at != nil {
		s.found.timestamp = formatTime(s.scheme.Timestamp.Unit, s.m.Arrived)
		if at.body != nil && s.scheme.Timestamp.Unit != "rfc3339" {
			// A vendor that counts seconds in JSON may refuse a text of digits, and another a number.
			if s.m.Body, err = setInBody(s.m.Body, at.body, json.Number(s.found.timestamp)); err != nil {
				return err
			}
		} else if err := s.fill(at, s.found.timestamp); err != nil {
			return err
		}
	}
	if at := s.id; at != nil {
		s.found.id = id
		if at.pair == "" {
			if own, result := at.value(&s.m, nil); result == OK {
				s.found.id = own // of the event that is sent
				return s.digestBody()
			}
		}
		// An id of the body that is not signed by itself is the event's business.
		if at.body == nil || s.idNeeded {
			if err := s.fill(at, id); err != nil {
				return err
			}
		}
	}
	return s.digestBody()
}

func (s *signer) fill(at *where, value string) error {
	if at.pair != "" {
		s.pairs = append(s.pairs, pair{at.pair, value})
		return nil
	}
	return s.put(at, value)
}

func (s *signer) digestBody() error {
	if s.digest == nil || len(s.m.Body) == 0 || s.m.isForm() {
		return nil
	}
	sum := sha256.Sum256(s.m.Body)
	return s.put(s.digest, hex.EncodeToString(sum[:]))
}

// put puts a value at a place.
func (s *signer) put(at *where, value string) (err error) {
	switch {
	case at.body != nil:
		s.m.Body, err = setInBody(s.m.Body, at.body, value)
	case at.query != "":
		s.m.RawQuery = withoutParameter(s.m.RawQuery, at.query)
		if s.m.RawQuery != "" {
			s.m.RawQuery += "&"
		}
		s.m.RawQuery += url.QueryEscape(at.query) + "=" + url.QueryEscape(value)
	default:
		s.m.Header[at.headers[0]] = []string{value}
	}
	return err
}

// signature returns the signature of the filled message, before encoding.
func (s *signer) signature(secret string, shared []byte) ([]byte, error) {
	if s.algorithm.kind == equal {
		return shared, nil
	}
	signed, result := s.signed[0].bytes(&s.m, &s.found, shared)
	if result != OK {
		return nil, invalid("signed", "the request has not all that the scheme signs: a header or a query parameter is missing, or stands twice")
	}
	if s.algorithm.kind == public {
		return signPrivate(s.scheme.Algorithm, secret, s.algorithm.digested(&signed))
	}
	return s.algorithm.sum(shared, &signed), nil
}

// presented returns the signature in the form in which it stands at its place.
func (s *signer) presented(text string) string {
	form := &s.scheme.Signature
	if form.Form != "pairs" {
		return text
	}
	items := append(s.pairs, pair{form.Keys[0], text})
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = item.key + form.Assign + item.value
	}
	return strings.Join(texts, form.Separator)
}

// setInBody sets a value in a body of JSON, a number as a text where a text stood. Objects on the way
// to it are made where they are absent.
func setInBody(body []byte, path []string, value any) ([]byte, error) {
	var root any
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&root) != nil {
		return nil, invalid("body", "the scheme takes a body of JSON")
	}
	at := root
	for i, token := range path {
		last := i == len(path)-1
		switch holder := at.(type) {
		case map[string]any:
			if last {
				holder[token] = likeFormer(holder[token], value)
			} else if holder[token] == nil {
				holder[token] = make(map[string]any)
			}
			at = holder[token]
		case []any:
			index, err := strconv.Atoi(token)
			if err != nil || index < 0 || index >= len(holder) {
				return nil, invalid("body", "it has no place for what the scheme adds")
			}
			if last {
				holder[index] = likeFormer(holder[index], value)
			}
			at = holder[index]
		default:
			return nil, invalid("body", "it has no place for what the scheme adds")
		}
	}
	return json.Marshal(root)
}

// likeFormer returns a value of JSON as a text where the former one is a text.
func likeFormer(former, value any) any {
	if _, text := former.(string); text {
		return fmt.Sprint(value)
	}
	return value
}
