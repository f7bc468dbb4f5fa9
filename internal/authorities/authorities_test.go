package authorities

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestRead(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	file := func(text []byte) string {
		path := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	absent, none := filepath.Join(t.TempDir(), "absent.pem"), "tls_ca holds no PEM certificate"
	for name, tc := range map[string]struct {
		file, failure string
		trusted       bool
	}{
		"an authority":        {file: file(certificate), trusted: true},
		"two":                 {file: file(append(certificate, certificate...)), trusted: true},
		"no file":             {},
		"a file that is gone": {file: absent, failure: "read tls_ca " + absent + ": no such file or directory"},
		"an empty file":       {file: file(nil), failure: none},
		"another text":        {file: file([]byte("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")), failure: none},
		"a broken one":        {file: file([]byte("-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n")), failure: none},
	} {
		roots, err := Read(tc.file)
		failure := ""
		if err != nil {
			failure = err.Error()
		}
		if failure != tc.failure {
			t.Errorf("%s: %q, want %q", name, failure, tc.failure)
		}
		if (roots != nil) != tc.trusted {
			t.Errorf("%s: authorities: %t", name, roots != nil)
		}
		if tc.trusted {
			if _, err := server.Certificate().Verify(x509.VerifyOptions{Roots: roots}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
