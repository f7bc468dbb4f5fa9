package trail

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hookgate/hookgate/internal/authorities"
	"github.com/hookgate/hookgate/internal/fetch"
)

const (
	postTimeout = 15 * time.Second
	maxReply    = 64 << 10
)

// httpSink posts JSON lines. A 2xx says that the server has them.
type httpSink struct {
	url, token, ca string
}

func (s *httpSink) push(ctx context.Context, lines [][]byte, _ time.Time) error {
	roots, err := rootsOf(s.ca)
	if err != nil {
		return err
	}
	body := append(bytes.Join(lines, []byte("\n")), '\n')
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return errAddress
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("User-Agent", "hookgate")
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := fetch.New(fetch.Options{Timeout: postTimeout, MaxBody: maxReply, RootCAs: roots}).Do(r)
	switch {
	case errors.Is(err, fetch.ErrIncomplete): // it was a 2xx
		return nil
	case err != nil:
		return err
	case answer.Status/100 != 2:
		return fmt.Errorf("the server answers with status %d", answer.Status)
	}
	return nil
}

func (s *httpSink) idle(context.Context, time.Time) error { return nil }
func (s *httpSink) limit() int                            { return 0 }
func (s *httpSink) close()                                {}

// rootsOf reads the authorities of a connection. That is done for each: the file may be
// replaced while we run.
func rootsOf(file string) (*x509.CertPool, error) {
	roots, err := authorities.Read(file)
	return roots, plain(err)
}
