package clientcert

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
)

// maxHeader is the largest value of a header, in bytes: base64 takes a third more than DER,
// and what is escaped in it some more.
const maxHeader = 2 * maxCertificate

var errHeader = errors.New("no certificate in a form that is known")

// isNone reports whether a header says that there is no certificate: what a proxy writes
// around nothing.
func isNone(text string) bool { return text == "" || text == "::" }

// parseHeader reads a certificate in either of two forms: the byte sequence of RFC 9440
// section 2.2, which is DER in base64 between colons, or PEM with its special characters
// escaped as in a URL, as nginx has it in $ssl_client_escaped_cert.
func parseHeader(text string) (*x509.Certificate, error) {
	if within, ok := strings.CutPrefix(text, ":"); ok {
		encoded, ok := strings.CutSuffix(within, ":")
		if !ok || strings.ContainsAny(encoded, "\r\n") { // which the decoder skips
			return nil, errHeader
		}
		der, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil {
			return nil, errHeader
		}
		return parse(der)
	}
	// A + stands for itself: AWS leaves it unescaped.
	plain, err := url.PathUnescape(text)
	if err != nil || !strings.HasPrefix(plain, "-----BEGIN CERTIFICATE-----") {
		return nil, errHeader
	}
	block, rest := pem.Decode([]byte(plain))
	if block == nil || len(block.Headers) > 0 || strings.TrimSpace(string(rest)) != "" {
		return nil, errHeader
	}
	return parse(block.Bytes)
}

func parse(der []byte) (*x509.Certificate, error) {
	if len(der) > maxCertificate {
		return nil, errHeader
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errHeader
	}
	return certificate, nil
}
