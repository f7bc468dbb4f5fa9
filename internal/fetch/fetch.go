// Package fetch asks a server that may be slow, wrong or hostile, and gets an answer of
// bounded size in bounded time or an error that tells no secret.
package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Options say what bounds a request. Timeout and MaxBody are required.
type Options struct {
	// Timeout is for the whole of one request, the body of the answer included.
	Timeout time.Duration
	// MaxBody is the largest answer in bytes, once it is decompressed.
	MaxBody int64
	// Proxy is that of an http.Transport. Nil is none, whatever the environment says: a
	// proxy reads the bearer tokens of requests over plain HTTP.
	Proxy func(*http.Request) (*url.URL, error)
	// RootCAs are the authorities to trust for https instead of the system's, if not nil.
	RootCAs *x509.CertPool
}

// Client sends requests. It follows no redirect, which could take a bearer token
// to anywhere or lead off https, and keeps no connection: it is for requests that are
// few and far between, and nothing of it is left over after a reload.
type Client struct {
	http    *http.Client
	maxBody int64
}

// New returns a client.
func New(o Options) *Client { return &Client{maxBody: o.MaxBody, http: unbounded(o)} }

func unbounded(o Options) *http.Client {
	return &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               o.Proxy,
			DialContext:         (&net.Dialer{Timeout: o.Timeout}).DialContext,
			TLSHandshakeTimeout: o.Timeout,
			TLSClientConfig:     &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:   true,
			DisableKeepAlives:   true,
		},
	}
}

// Answer is what a server said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get sends a GET with a header.
func (c *Client) Get(ctx context.Context, target string, header http.Header) (*Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, errURL
	}
	r.Header = header
	return c.Do(r)
}

var errURL = errors.New("the URL is not valid")

var (
	// ErrIncomplete: the server answered with a success of which not all could be read.
	ErrIncomplete = errors.New("the answer could not be read to its end")
	// ErrTooLarge: ErrIncomplete, as the answer has more bytes than are read.
	ErrTooLarge = fmt.Errorf("%w: it is too large", ErrIncomplete)
)

// Do sends a request. Whatever the status, an answer is no error, unless it is a
// success of which not all can be read; what else is cut short still says what it is.
func (c *Client) Do(r *http.Request) (*Answer, error) { return c.Copy(r, nil) }

// Copy is Do, but that the body of a success goes to w, whatever its size.
func (c *Client) Copy(r *http.Request, w io.Writer) (*Answer, error) {
	response, err := c.http.Do(r)
	if err != nil {
		var outer *url.Error // its text has the URL, and that may have a key in its query
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, err
	}
	defer response.Body.Close()
	answer := &Answer{Status: response.StatusCode, Header: response.Header}
	if w != nil && answer.Status/100 == 2 {
		_, err := io.Copy(w, marked{response.Body})
		return answer, err
	}
	answer.Body, err = io.ReadAll(io.LimitReader(response.Body, c.maxBody+1))
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if int64(len(answer.Body)) > c.maxBody {
		answer.Body, err = answer.Body[:c.maxBody], fmt.Errorf("%w: over %d bytes", ErrTooLarge, c.maxBody)
	}
	if success := answer.Status/100 == 2; success && err != nil {
		return nil, err
	}
	return answer, nil
}

// marked makes ErrIncomplete of an error of reading; one of writing is not the server's.
type marked struct{ io.Reader }

func (m marked) Read(b []byte) (int, error) {
	n, err := m.Reader.Read(b)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	return n, err
}
