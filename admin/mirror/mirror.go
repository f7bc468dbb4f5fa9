// Package mirror has a Matcher that checks its own tokens mint, list, rotate and revoke
// them, in the name of the operator who asks, and sees to it that a revocation that Matcher
// did not take reaches it later.
package mirror

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/internal/fetch"
)

// Matcher's operations.
const (
	credentialsPath = "/v1/exceptions/callbacks/credentials"
	tokensPath      = "/v1/discovery/webhooks/tokens"
)

// Bounds of Matcher's answers, in bytes. Its list has no pages: 8 MiB are some 40,000
// credentials.
const (
	maxAnswer = 64 << 10
	maxList   = 8 << 20
)

// Why there is no answer to pass on.
var (
	// ErrUnreachable: Matcher was not reached, so that nothing was sent to it.
	ErrUnreachable = errors.New("matcher cannot be reached")
	// ErrNoAnswer: the request was sent, and may have been carried out.
	ErrNoAnswer = errors.New("matcher did not answer")
	// ErrAnswer: what came back is no answer of Matcher's.
	ErrAnswer = errors.New("matcher's answer is of no use")
	// ErrNoBearer: the operator has no bearer token to ask with, so nothing was asked.
	ErrNoBearer = errors.New("the operator has no bearer token to ask Matcher with")
)

// Config is what a Mirror needs. URL and Timeout are required.
type Config struct {
	URL string
	// Timeout is for the whole of one question.
	Timeout time.Duration
	// RootCAs are the authorities to trust for https instead of the system's, if not nil.
	RootCAs *x509.CertPool
	// Every is how often it is looked for revocations to repeat. Zero: only RepeatPending does.
	Every time.Duration
	// Now is time.Now where nil.
	Now func() time.Time
	// Pending is called with the change in the number of pending revocations, and GivenUp
	// for each that is not repeated any more.
	Pending func(change int)
	GivenUp func()
}

// Mirror is the operations of one Matcher.
type Mirror struct {
	base        string
	short, long *fetch.Client
	logger      atomic.Pointer[slog.Logger]
	now         func() time.Time

	queue queue
	end   context.CancelFunc
	ended chan struct{}
}

// New returns the operations of the Matcher at a URL, which need not be reachable yet.
func New(c Config) (*Mirror, error) {
	u, err := url.Parse(c.URL)
	// The URL is not repeated: it may have a password in it.
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(c.URL, "?#") {
		return nil, errors.New("mirror: it takes a URL like http://matcher:4018")
	}
	if c.Timeout <= 0 {
		return nil, errors.New("mirror: the timeout must be positive")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Pending == nil {
		c.Pending = func(int) {}
	}
	if c.GivenUp == nil {
		c.GivenUp = func() {}
	}
	// No proxy: it would get the operator's token too.
	client := func(limit int64) *fetch.Client {
		return fetch.New(fetch.Options{Timeout: c.Timeout, MaxBody: limit, RootCAs: c.RootCAs})
	}
	ctx, end := context.WithCancel(context.Background())
	m := &Mirror{
		base: strings.TrimSuffix(u.String(), "/"), short: client(maxAnswer), long: client(maxList),
		now:   c.Now,
		queue: queue{waiting: make(map[uuid.UUID]*waiting), changed: c.Pending, givenUp: c.GivenUp},
		end:   end, ended: make(chan struct{}),
	}
	m.LogTo(slog.New(slog.DiscardHandler))
	go m.repeatEvery(ctx, c.Every)
	return m, nil
}

// LogTo says where it is logged what became of pending revocations: a reload keeps a Mirror,
// and replaces the log. No JWT is ever written to it.
func (m *Mirror) LogTo(log *slog.Logger) { m.logger.Store(log) }

func (m *Mirror) log() *slog.Logger { return m.logger.Load() }

// Caller is in whose name Matcher is asked.
type Caller struct {
	Tenant uuid.UUID
	// Authorization is the header as the operator sent it, "" where there was none, and Until
	// when the JWT in it ends.
	Authorization string
	Until         time.Time
	// RequestID is that of the operator's request, which Matcher is told.
	RequestID string
}

// Answer is what Matcher said, whatever it is.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Done reports whether Matcher did what it was asked for.
func (a *Answer) Done() bool { return a.Status/100 == 2 }

// MintCallback mints a callback credential.
func (m *Mirror) MintCallback(ctx context.Context, by Caller, externalSystem string) (*Answer, error) {
	return m.post(ctx, by, credentialsPath, struct {
		ExternalSystem string `json:"externalSystem,omitempty"`
	}{externalSystem})
}

// MintWebhook mints a webhook token.
func (m *Mirror) MintWebhook(ctx context.Context, by Caller, vendor, connection string) (*Answer, error) {
	return m.post(ctx, by, tokensPath, struct {
		Vendor     string `json:"vendor"`
		Connection string `json:"connection_config_name"`
	}{vendor, connection})
}

// Rotate replaces a callback credential.
func (m *Mirror) Rotate(ctx context.Context, by Caller, id uuid.UUID) (*Answer, error) {
	return m.ask(ctx, m.short, maxAnswer, by, http.MethodPost, credentialsPath+"/"+id.String()+"/rotate", nil)
}

// Revoke ends a callback credential.
func (m *Mirror) Revoke(ctx context.Context, by Caller, id uuid.UUID) (*Answer, error) {
	return m.ask(ctx, m.short, maxAnswer, by, http.MethodDelete, credentialsPath+"/"+id.String(), nil)
}

// List lists the callback credentials.
func (m *Mirror) List(ctx context.Context, by Caller) (*Answer, error) {
	return m.ask(ctx, m.long, maxList, by, http.MethodGet, credentialsPath, nil)
}

// Ended reports whether a credential is live no more at Matcher, which gave this answer to
// its revocation. What it publishes is 204. That a revoked or unknown one is 404 or 409 is not
// published, and a server of another make says 404, or 200, to anything: so the list has the
// last word.
func (m *Mirror) Ended(ctx context.Context, by Caller, id uuid.UUID, answer *Answer) bool {
	switch answer.Status {
	case http.StatusNoContent:
		return true
	case http.StatusNotFound, http.StatusConflict, http.StatusGone:
	default:
		if !answer.Done() {
			return false
		}
	}
	list, err := m.List(ctx, by)
	if err != nil || list.Status != http.StatusOK {
		return false
	}
	entries, err := entriesOf(list.Body)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if e.ID == id {
			return e.RevokedAt != ""
		}
	}
	return true
}

func (m *Mirror) post(ctx context.Context, by Caller, path string, body any) (*Answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return m.ask(ctx, m.short, maxAnswer, by, http.MethodPost, path, text)
}

// ask returns Matcher's answer, or one of the errors above.
func (m *Mirror) ask(ctx context.Context, client *fetch.Client, limit int, by Caller, method, path string, body []byte) (*Answer, error) {
	if by.Authorization == "" {
		return nil, ErrNoBearer
	}
	r, err := http.NewRequestWithContext(ctx, method, m.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: the URL is not valid", ErrUnreachable)
	}
	r.Header = http.Header{"Authorization": {by.Authorization}, "Accept": {"application/json"}, "X-Request-Id": {by.RequestID}}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(r)
	var network *net.OpError
	var lookup *net.DNSError
	switch {
	case errors.Is(err, fetch.ErrTooLarge):
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	case errors.As(err, &lookup), errors.As(err, &network) && network.Op == "dial":
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	case !(answer.Status/100 == 2 || answer.Status >= 400):
		return nil, fmt.Errorf("%w: status %d", ErrAnswer, answer.Status)
	case len(answer.Body) >= limit: // of a refusal the client gives what it has read
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrAnswer, limit)
	}
	return &Answer{answer.Status, answer.Header, answer.Body}, nil
}
