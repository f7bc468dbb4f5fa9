package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// file is one of a layer. One without content is a directory.
type file struct {
	path    string
	mode    int64
	owner   int
	content []byte
}

// layers returns what the image holds: what seldom changes first, for those who have
// pulled an earlier one.
func layers(binary []byte, created time.Time) ([]v1.Layer, error) {
	var all []v1.Layer
	for _, files := range [][]file{
		{
			{path: "etc/", mode: 0o755},
			{path: "etc/ssl/", mode: 0o755},
			{path: "etc/ssl/certs/", mode: 0o755},
			{path: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: authorities()},
			{path: "var/", mode: 0o755},
			{path: "var/lib/", mode: 0o755},
			{path: "var/lib/hookgate/", mode: 0o700, owner: user},
		},
		{
			{path: "usr/", mode: 0o755},
			{path: "usr/bin/", mode: 0o755},
			{path: "usr/bin/hookgate", mode: 0o755, content: binary},
		},
	} {
		layer, err := newLayer(files, created)
		if err != nil {
			return nil, err
		}
		all = append(all, layer)
	}
	return all, nil
}

func newLayer(files []file, created time.Time) (v1.Layer, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.path, Mode: f.mode, Uid: f.owner, Gid: f.owner, Size: int64(len(f.content)), ModTime: created,
		}
		if f.content == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

// authorities are the certificate authorities that Mozilla trusts, as the version of the
// module in go.mod has them: those of the machine that builds are another machine's
// tomorrow. One that is trusted only for a time cannot be written in this form, and is left out.
func authorities() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return text.Bytes()
}
