package clientcert

import (
	"crypto/x509"
	"fmt"
	"strings"
)

// pattern tells one owner of certificates from others.
type pattern struct {
	any        bool
	dns        string      // of the subject alternative names; "" for none
	attributes []attribute // of the subject: all of them
}

type attribute struct{ oid, value string }

// oids are the attributes of subjects by the names that RFC 4514, openssl and the profiles
// of Open Finance have for them, in upper case.
var oids = map[string]string{
	"CN": "2.5.4.3", "SERIALNUMBER": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "STREET": "2.5.4.9", "O": "2.5.4.10",
	"OU": "2.5.4.11", "BUSINESSCATEGORY": "2.5.4.15", "ORGANIZATIONIDENTIFIER": "2.5.4.97",
	"UID": "0.9.2342.19200300.100.1.1", "DC": "0.9.2342.19200300.100.1.25",
}

// parsePattern reads `*`, `dns:<name>`, or attributes of a subject, each `<name>=<value>`,
// with commas between them.
func parsePattern(text string) (p pattern, err error) {
	if text == "*" {
		return pattern{any: true}, nil
	}
	if name, ok := strings.CutPrefix(text, "dns:"); ok {
		name = strings.ToLower(name)
		if rest := strings.TrimPrefix(name, "*."); rest == "" || strings.ContainsAny(rest, "* ") || strings.HasSuffix(rest, ".") {
			return pattern{}, fmt.Errorf("subject %q: dns takes a name, or *. and a name", text)
		}
		return pattern{dns: name}, nil
	}
	for _, part := range split(text) {
		name, value, ok := strings.Cut(part, "=")
		oid := oids[strings.ToUpper(strings.TrimSpace(name))]
		if isOID(name) {
			oid = name
		}
		if !ok || value == "" || oid == "" {
			return pattern{}, fmt.Errorf("subject %q: want *, dns:<name>, or attributes such as CN=<value>,O=<value>", text)
		}
		p.attributes = append(p.attributes, attribute{oid, value})
	}
	return p, nil
}

// split cuts text at its commas, but for those behind a backslash, which stands for nothing
// itself. Blanks behind a comma do not count.
func split(text string) (parts []string) {
	var part strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			part.WriteByte(text[i])
		case c == ',':
			parts = append(parts, part.String())
			part.Reset()
		case c == ' ' && part.Len() == 0:
		default:
			part.WriteByte(c)
		}
	}
	return append(parts, part.String())
}

func isOID(name string) bool {
	return strings.Contains(name, ".") && strings.Trim(name, "0123456789.") == ""
}

// isFor reports whether a certificate is of one of the owners that count.
func (v *Verifier) isFor(c *x509.Certificate) bool {
	for i := range v.subjects {
		if v.subjects[i].matches(c) {
			return true
		}
	}
	return false
}

func (p *pattern) matches(c *x509.Certificate) bool {
	if p.dns != "" {
		for _, name := range c.DNSNames {
			if matchesName(p.dns, strings.ToLower(name)) {
				return true
			}
		}
		return false
	}
	for _, want := range p.attributes {
		if !has(c, want) {
			return false
		}
	}
	return p.any || len(p.attributes) > 0
}

// matchesName compares a name with one of which the first label may be *, which stands for
// one whole label.
func matchesName(want, name string) bool {
	if want == name {
		return true
	}
	suffix, wild := strings.CutPrefix(want, "*")
	if !wild {
		return false
	}
	label, ok := strings.CutSuffix(name, suffix)
	return ok && label != "" && !strings.Contains(label, ".")
}

func has(c *x509.Certificate, want attribute) bool {
	for _, is := range c.Subject.Names {
		if value, ok := is.Value.(string); ok && value == want.value && is.Type.String() == want.oid {
			return true
		}
	}
	return false
}
