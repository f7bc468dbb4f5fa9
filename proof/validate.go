package proof

import (
	"slices"
	"strings"
	"time"
)

// Bounds of a scheme, which a request of the admin API may have.
const (
	maxHeaders   = 8
	maxTemplates = 4
	maxText      = 1024
	maxPointer   = 8 // tokens
	maxTolerance = Tolerance(7 * 24 * time.Hour)
)

// Validate returns nil, or an *Invalid that says which field is at fault.
func (s Scheme) Validate() error {
	of, known := algorithms[s.Algorithm]
	if !known {
		return invalid("algorithm", "it is one of hmac-sha256, hmac-sha1, hmac-sha512, sha256, ed25519, rsa-sha1, rsa-sha256, rsa-pss-sha256, ecdsa-sha256 and equal")
	}
	if !slices.Contains([]int{0, 400, 401, 403, 404}, s.Refuse) {
		return invalid("refuse", "it is one of 400, 401, 403 and 404")
	}
	if s.Own != "" {
		return s.validateOwn(of)
	}
	for _, check := range []func(algorithm) error{s.validateSignature, s.validateEncoding, s.validateKey, s.validateTimestamp, s.validateSigned, s.validateIdentity} {
		if err := check(of); err != nil {
			return err
		}
	}
	return nil
}

func (s Scheme) validateOwn(a algorithm) error {
	if s.Own != OwnAdyenItems {
		return invalid("own", "it is adyen-items, or absent")
	}
	if a.kind != mac || len(s.Signature.Header) > 0 || s.Signature.Query != "" || s.Signature.Body != "" || s.Signature.Form != "" || s.Prefix != "" || s.Encoding != "" ||
		s.Signed != nil || s.Timestamp != nil || s.Tolerance != 0 || s.ID != nil || s.Digest != nil {
		return invalid("own", "beside it there are algorithm, key and refuse alone")
	}
	return s.validateKey(a)
}

func (s Scheme) validateSignature(a algorithm) error {
	signature := s.Signature
	if signature.Pair != "" {
		return invalid("signature", "it stands in a header, a query parameter or the body")
	}
	if err := signature.validate("signature", maxHeaders); err != nil {
		return err
	}
	if a.kind == equal && signature.Body != "" {
		return invalid("signature", "a constant secret in the body cannot be kept from the upstream")
	}
	if len(s.Prefix) > maxText {
		return invalid("prefix", "it is too long")
	}
	separated := signature.Separator != "" && len(signature.Separator) <= 8
	switch signature.Form {
	case "", "whole":
		if signature.Separator != "" || signature.Assign != "" || signature.Keys != nil {
			return invalid("signature", "separator, assign and keys belong to the forms pairs and list")
		}
	case "list":
		if !separated || signature.Assign != "" || signature.Keys != nil {
			return invalid("signature", "the form list takes a separator")
		}
	case "pairs":
		if !separated || signature.Assign == "" || len(signature.Assign) > 8 || signature.Assign == signature.Separator ||
			len(signature.Keys) == 0 || len(signature.Keys) > maxHeaders || slices.Contains(signature.Keys, "") {
			return invalid("signature", "the form pairs takes a separator, what stands between key and value, and the keys of signatures")
		}
	default:
		return invalid("signature", "the form is whole, pairs or list")
	}
	return nil
}

// validate checks that a place is exactly one.
func (p Place) validate(field string, headers int) error {
	given := 0
	if len(p.Header) > 0 {
		given++
		if len(p.Header) > headers || slices.ContainsFunc(p.Header, func(name string) bool { return !validHeader(name) }) {
			return invalid(field, "not the name of a header, or too many names")
		}
	}
	if p.Query != "" {
		given++
	}
	if p.Pair != "" {
		given++
	}
	if p.Body != "" {
		given++
		if p.Body[0] != '/' || len(p.Body) > maxText || strings.Count(p.Body, "/") > maxPointer {
			return invalid(field, "the place in the body is a JSON pointer such as /data/id, of at most 8 names")
		}
	}
	if given != 1 || len(p.Query) > maxText || len(p.Pair) > maxText {
		return invalid(field, "it stands in exactly one place: a header, a query parameter, the body, or a pair")
	}
	return nil
}

// validHeader reports whether text is a field name, RFC 9110 section 5.1.
func validHeader(text string) bool {
	if text == "" || len(text) > 128 {
		return false
	}
	for _, c := range []byte(text) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return true
}

func (s Scheme) encoding() string {
	switch {
	case s.Encoding != "":
		return s.Encoding
	case algorithms[s.Algorithm].kind == equal:
		return "text"
	}
	return "hex"
}

func (s Scheme) validateEncoding(a algorithm) error {
	switch s.Encoding {
	case "", "hex", "base64", "base64url":
	case "text":
		if a.kind != equal {
			return invalid("encoding", "text is of the algorithm equal")
		}
	default:
		return invalid("encoding", "it is hex, base64, base64url or text")
	}
	return nil
}

func (s Scheme) validateKey(a algorithm) error {
	if !slices.Contains([]string{"", "text", "hex", "base64", "whsec", "whsec-or-text"}, s.Key) {
		return invalid("key", "it is text, hex, base64, whsec or whsec-or-text")
	}
	if s.Key != "" && a.kind == public {
		return invalid("key", "a public key tells its own form")
	}
	return nil
}

func (s Scheme) validateTimestamp(a algorithm) error {
	if s.Timestamp == nil {
		if s.Tolerance != 0 {
			return invalid("tolerance", "it is of a timestamp, and there is none")
		}
		return nil
	}
	if a.kind == equal {
		return invalid("timestamp", "a constant secret signs no timestamp")
	}
	if s.Timestamp.Query != "" {
		return invalid("timestamp", "it stands in a header, in the body or in a pair of the signature")
	}
	if err := s.Timestamp.validate("timestamp", 1); err != nil {
		return err
	}
	if err := s.validatePair("timestamp", s.Timestamp.Pair); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "s", "ms", "s-or-ms", "rfc3339"}, s.Timestamp.Unit) {
		return invalid("timestamp", "the unit is s, ms, s-or-ms or rfc3339")
	}
	if s.Tolerance != TolerateAll && (s.Tolerance < 0 || s.Tolerance > maxTolerance) {
		return invalid("tolerance", "it is a duration up to 168h, or off")
	}
	return nil
}

// validatePair checks that a pair can be there, and is not itself a signature.
func (s Scheme) validatePair(field, key string) error {
	if key != "" && (s.Signature.Form != "pairs" || slices.Contains(s.Signature.Keys, key)) {
		return invalid(field, "a pair takes a signature of the form pairs, and another key than the signatures have")
	}
	return nil
}

// templates returns those of a valid scheme.
func (s Scheme) templates() []template {
	if s.Own != "" || algorithms[s.Algorithm].kind == equal {
		return nil
	}
	texts := s.Signed
	if len(texts) == 0 {
		texts = Templates{"{body}"}
	}
	all := make([]template, len(texts))
	for i, text := range texts {
		all[i], _ = parseTemplate(text)
	}
	return all
}

func (s Scheme) validateSigned(a algorithm) error {
	if a.kind == equal {
		if len(s.Signed) > 0 {
			return invalid("signed", "a constant secret signs nothing")
		}
		return nil
	}
	if len(s.Signed) > maxTemplates {
		return invalid("signed", "there are more than 4 templates")
	}
	for _, text := range s.Signed {
		if len(text) > maxText {
			return invalid("signed", "it is too long")
		}
		if _, err := parseTemplate(text); err != nil {
			return err
		}
	}
	for _, t := range s.templates() {
		if err := s.validateTemplate(a, t); err != nil {
			return err
		}
	}
	return nil
}

func (s Scheme) validateTemplate(a algorithm, t template) error {
	switch {
	case !t.ofMessage():
		return invalid("signed", "nothing of the request is in it")
	case t.has("secret") != (a.kind == digest):
		return invalid("signed", "{secret} is of the algorithm sha256, which needs it")
	case t.has("id") && s.ID == nil:
		return invalid("signed", "{id} without `id`")
	case t.has("timestamp") && s.Timestamp == nil:
		return invalid("signed", "{timestamp} without `timestamp`")
	case s.Signature.Query != "" && (t.has("url") || t.has("query")):
		return invalid("signed", "the query holds the signature, which cannot be of itself")
	case s.Signature.Body != "" && t.has("body"):
		return invalid("signed", "the body holds the signature, which cannot be of itself")
	}
	// A timestamp that is not signed proves nothing: whoever replays a request writes a new one.
	if at := s.Timestamp; at != nil && !t.has("timestamp") && !(len(at.Header) == 1 && t.hasHeader(Names(at.Header).canonical()[0])) && !(at.Body != "" && t.has("body")) {
		return invalid("timestamp", "it is not among the signed bytes")
	}
	return nil
}

func (s Scheme) validateIdentity(a algorithm) error {
	if s.ID != nil {
		if err := s.ID.validate("id", 1); err != nil {
			return err
		}
		if err := s.validatePair("id", s.ID.Pair); err != nil {
			return err
		}
	}
	if s.Digest == nil {
		return nil
	}
	if a.kind == equal || s.Digest.Body != "" || s.Digest.Pair != "" {
		return invalid("digest", "it stands in a header or a query parameter that is signed")
	}
	if err := s.Digest.validate("digest", 1); err != nil {
		return err
	}
	for _, t := range s.templates() {
		signed := t.has("url") || t.has("query")
		if len(s.Digest.Header) > 0 {
			signed = t.hasHeader(s.Digest.Header.canonical()[0])
		}
		if !signed {
			return invalid("digest", "it is not among the signed bytes")
		}
	}
	return nil
}
