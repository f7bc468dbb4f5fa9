// Package authorities reads the file of a tls_ca: whose certificates of a server count.
package authorities

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
)

var errNone = errors.New("tls_ca holds no PEM certificate")

// Read returns the authorities in a file of PEM; nil, which are the system's, for no file.
func Read(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return nil, &fs.PathError{Op: "read tls_ca", Path: file, Err: err}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errNone
	}
	return roots, nil
}
