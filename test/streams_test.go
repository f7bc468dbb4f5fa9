package test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// message is a request as HTTP/2 and HTTP/3 carry it: fields in the order and the
// spelling of the test, which no client library would send.
type message struct {
	fields   []string // "name: value"
	body     string
	frames   []string // the body in frames of these, instead
	trailers []string
	open     bool // the request is not ended
}

func split(field string) (name, value string) {
	i := strings.Index(field[1:], ": ") + 1 // names of pseudo-headers begin with a colon
	return field[:i], field[i+2:]
}

// post is a request with everything in order, and further fields.
func post(path string, fields ...string) message {
	return message{fields: append([]string{":method: POST", ":scheme: https", ":authority: hooks.example.com", ":path: " + path}, fields...), body: "{}"}
}

// with replaces the value of a field, or drops it.
func (m message) with(name, value string) message {
	var fields []string
	for _, field := range m.fields {
		n, _ := split(field)
		if n == name && value == "" {
			continue
		}
		if n == name {
			field = name + ": " + value
		}
		fields = append(fields, field)
	}
	m.fields = fields
	return m
}

// errRefusedStream: the server ended the stream or the connection without an answer.
var errRefusedStream = errors.New("no answer")

// exchange sends a message over a new connection, and returns the answer.
type exchange func(t *testing.T, m message) (answer, error)

// certificate makes a self-signed one for 127.0.0.1, and returns the arguments of
// `tls` and the configuration of a client that trusts it.
func certificate(t *testing.T) (words string, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return filepath.Join(dir, "cert.pem") + " " + filepath.Join(dir, "key.pem"), &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

// overHTTP2 sends messages over HTTP/2: over TLS, or with prior knowledge where trust
// is nil.
func overHTTP2(addr string, trust *tls.Config) exchange {
	return func(t *testing.T, m message) (answer, error) {
		t.Helper()
		conn := dialHTTP2(t, addr, trust)
		framer := http2.NewFramer(conn, bufio.NewReader(conn))
		framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		io.WriteString(conn, http2.ClientPreface)
		framer.WriteSettings()
		block := func(fields []string) []byte {
			var b bytes.Buffer
			encoder := hpack.NewEncoder(&b)
			for _, field := range fields {
				name, value := split(field)
				encoder.WriteField(hpack.HeaderField{Name: name, Value: value})
			}
			return b.Bytes()
		}
		if m.body != "" {
			m.frames = []string{m.body}
		}
		ends := !m.open && m.frames == nil && m.trailers == nil
		framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(m.fields), EndHeaders: true, EndStream: ends})
		for i, piece := range m.frames {
			framer.WriteData(1, !m.open && m.trailers == nil && i == len(m.frames)-1, []byte(piece))
		}
		if m.trailers != nil {
			framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(m.trailers), EndHeaders: true, EndStream: true})
		}
		var a answer
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return a, errRefusedStream
			}
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					framer.WriteSettingsAck()
				}
			case *http2.MetaHeadersFrame:
				if a.header == nil {
					a.header = make(http.Header)
				}
				for _, field := range f.Fields {
					a.add(field.Name, field.Value)
				}
			case *http2.DataFrame:
				a.body = append(a.body, f.Data()...)
			case *http2.RSTStreamFrame, *http2.GoAwayFrame:
				if a.status == 0 {
					return a, errRefusedStream
				}
				return a, nil
			default:
				continue
			}
			if frame.Header().StreamID == 1 && frame.Header().Flags.Has(http2.FlagDataEndStream) && a.status >= 200 {
				return a, nil
			}
		}
	}
}

func dialHTTP2(t *testing.T, addr string, trust *tls.Config) net.Conn {
	t.Helper()
	var conn net.Conn
	var err error
	if trust == nil {
		conn, err = net.Dial("tcp", addr)
	} else {
		trust = trust.Clone()
		trust.NextProtos = []string{"h2"}
		conn, err = tls.Dial("tcp", addr, trust)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(hookgatetest.Patience))
	return conn
}

func (a *answer) add(name, value string) {
	if name == ":status" {
		a.status, _ = strconv.Atoi(value)
	} else {
		a.header.Add(name, value)
	}
}

// Frames of HTTP/3.
const (
	frameData     = 0x0
	frameHeaders  = 0x1
	frameSettings = 0x4
)

// overHTTP3 sends messages over HTTP/3.
func overHTTP3(addr string, trust *tls.Config) exchange {
	trust = trust.Clone()
	trust.NextProtos = []string{"h3"}
	return func(t *testing.T, m message) (answer, error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), hookgatetest.Patience)
		defer cancel()
		conn, err := quic.DialAddr(ctx, addr, trust, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseWithError(0, "")
		control, err := conn.OpenUniStream()
		if err != nil {
			t.Fatal(err)
		}
		control.Write([]byte{0, frameSettings, 0})
		stream, err := conn.OpenStreamSync(ctx)
		if err != nil {
			t.Fatal(err)
		}
		stream.SetDeadline(time.Now().Add(hookgatetest.Patience))
		headers := func(fields []string) {
			var b bytes.Buffer
			encoder := qpack.NewEncoder(&b)
			for _, field := range fields {
				name, value := split(field)
				encoder.WriteField(qpack.HeaderField{Name: name, Value: value})
			}
			stream.Write(frame(frameHeaders, b.Bytes()))
		}
		headers(m.fields)
		if m.body != "" {
			m.frames = []string{m.body}
		}
		for _, piece := range m.frames {
			stream.Write(frame(frameData, []byte(piece)))
		}
		if m.trailers != nil {
			headers(m.trailers)
		}
		if !m.open {
			stream.Close()
		}
		return readHTTP3(stream)
	}
}

func frame(kind uint64, payload []byte) []byte {
	return append(quicvarint.Append(quicvarint.Append(nil, kind), uint64(len(payload))), payload...)
}

func readHTTP3(stream io.Reader) (answer, error) {
	a := answer{header: make(http.Header)}
	r := quicvarint.NewReader(bufio.NewReader(stream))
	for {
		kind, err := quicvarint.Read(r)
		if err == io.EOF && a.status >= 200 {
			return a, nil
		}
		if err != nil {
			return a, errRefusedStream
		}
		length, err := quicvarint.Read(r)
		if err != nil {
			return a, errRefusedStream
		}
		payload := make([]byte, length)
		if _, err := io.ReadFull(r, payload); err != nil {
			return a, errRefusedStream
		}
		switch kind {
		case frameData:
			a.body = append(a.body, payload...)
		case frameHeaders:
			next := qpack.NewDecoder().Decode(payload)
			for field, err := next(); err != io.EOF; field, err = next() {
				if err != nil {
					return a, fmt.Errorf("read the answer: %w", err)
				}
				a.add(field.Name, field.Value)
			}
		}
	}
}
