package connections

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookgate/hookgate/internal/fetch"
)

// The lists in which Matcher has its connections. That of aggregator connections is
// 4.1's; 2.x has only the connections to databases, without a vendor.
const (
	aggregatorConnectionsPath = "/v1/discovery/aggregator-connections"
	connectionsPath           = "/v1/discovery/connections"
)

// Bounds of what is read from Matcher for one question. What is beyond them is no
// answer, and nothing is minted.
const (
	connectionsPageSize = 200 // Matcher's own maximum
	maxConnectionPages  = 50
	maxConnectionPage   = 1 << 20 // bytes
)

// Why Matcher's answer does not tell.
var (
	ErrTimeout = errors.New("matcher did not answer in time")
	ErrRefused = errors.New("matcher does not accept the operator's bearer token")
	ErrAnswer  = errors.New("matcher's answer is of no use")
	// ErrNoBearer: the operator has no bearer token to ask with, so nothing was asked.
	ErrNoBearer = errors.New("the operator has no bearer token to ask Matcher with")
)

// Matcher asks a Matcher for the operator's connections, with the operator's own bearer
// token: it knows itself whose they are.
type Matcher struct {
	base    string
	timeout time.Duration
	client  *fetch.Client
}

// NewMatcher returns the connections of the Matcher at a URL, which need not be
// reachable yet. The timeout is for the whole of one question; roots are the authorities
// to trust for https instead of the system's, if not nil.
func NewMatcher(rawURL string, timeout time.Duration, roots *x509.CertPool) (*Matcher, error) {
	u, err := url.Parse(rawURL)
	// The URL is not repeated: it may have a password in it.
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(rawURL, "?#") {
		return nil, errors.New("matcher: it takes a URL like http://matcher:4018")
	}
	if timeout <= 0 {
		return nil, errors.New("matcher: the timeout must be positive")
	}
	return &Matcher{
		base:    strings.TrimSuffix(u.String(), "/"),
		timeout: timeout,
		// No proxy: it would get the operator's token too.
		client: fetch.New(fetch.Options{Timeout: timeout, MaxBody: maxConnectionPage, RootCAs: roots}),
	}, nil
}

// Exists reports whether Matcher lists the connection.
func (m *Matcher) Exists(ctx context.Context, q Query) (bool, error) {
	if q.Bearer == "" {
		return false, ErrNoBearer
	}
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	var found bool
	var err error
	if lists, ok := ctx.Value(onceKey{}).(*readLists); ok {
		found, err = lists.readOnce(q.Bearer, func(l *readList) error { return m.readAll(ctx, q.Bearer, l) }).has(q.Vendor, q.Name)
	} else {
		found, err = m.find(ctx, q)
	}
	var late net.Error
	switch {
	case err == nil:
		return found, nil
	case errors.As(err, &late) && late.Timeout():
		return false, fmt.Errorf("%w: %w", ErrTimeout, err)
	case errors.Is(err, ErrRefused):
		return false, err
	}
	return false, fmt.Errorf("%w: %w", ErrAnswer, err)
}

func (m *Matcher) find(ctx context.Context, q Query) (bool, error) {
	found, err := m.search(ctx, aggregatorConnectionsPath, q.Bearer, func(c matcherConnection) bool {
		return c.ConfigName == q.Name && c.Vendor == q.Vendor
	})
	if errors.Is(err, errNoSuchList) {
		found, err = m.search(ctx, connectionsPath, q.Bearer, func(c matcherConnection) bool { return c.ConfigName == q.Name })
	}
	return found, err
}

// readAll reads the list to its end.
func (m *Matcher) readAll(ctx context.Context, bearer string, l *readList) error {
	_, err := m.search(ctx, aggregatorConnectionsPath, bearer, func(c matcherConnection) bool {
		l.connections[c] = true
		return false
	})
	if errors.Is(err, errNoSuchList) {
		l.vendorless = true
		_, err = m.search(ctx, connectionsPath, bearer, func(c matcherConnection) bool {
			l.connections[matcherConnection{ConfigName: c.ConfigName}] = true
			return false
		})
	}
	return err
}

// errNoSuchList: this version of Matcher does not have the list.
var errNoSuchList = errors.New("there is no such list")

// search reads a list to its end or to the first connection that is wanted.
func (m *Matcher) search(ctx context.Context, path, bearer string, wanted func(matcherConnection) bool) (bool, error) {
	cursor := ""
	for range maxConnectionPages {
		page, err := m.page(ctx, path, cursor, bearer)
		if err != nil {
			if cursor != "" && errors.Is(err, errNoSuchList) {
				return false, errors.New("the list ended in the middle")
			}
			return false, err
		}
		for _, c := range page.connections {
			if wanted(c) {
				return true, nil
			}
		}
		switch {
		case page.NextCursor == "" && page.HasMore != nil && *page.HasMore:
			return false, errors.New("there is more, but no cursor to it")
		case page.NextCursor == "" || page.HasMore != nil && !*page.HasMore:
			return false, nil
		case page.NextCursor == cursor:
			return false, errors.New("the cursor does not move on")
		}
		cursor = page.NextCursor
	}
	return false, fmt.Errorf("the list has more than %d pages", maxConnectionPages)
}

type matcherConnection struct {
	ConfigName string `json:"configName"`
	Vendor     string `json:"vendor"`
}

// connectionPage is a page of either list: 4.1 calls the connections items, 2.x
// connections. An empty list may be null, a list that is absent is none.
type connectionPage struct {
	Items       json.RawMessage `json:"items"`
	Connections json.RawMessage `json:"connections"`
	NextCursor  string          `json:"nextCursor"`
	HasMore     *bool           `json:"hasMore"`

	connections []matcherConnection
}

func (m *Matcher) page(ctx context.Context, path, cursor, bearer string) (*connectionPage, error) {
	query := url.Values{"limit": {strconv.Itoa(connectionsPageSize)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	answer, err := m.client.Get(ctx, m.base+path+"?"+query.Encode(), http.Header{
		"Authorization": {"Bearer " + bearer}, "Accept": {"application/json"},
	})
	if err != nil {
		return nil, err
	}
	switch answer.Status {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, errNoSuchList
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, fmt.Errorf("%w: status %d", ErrRefused, answer.Status)
	default:
		return nil, fmt.Errorf("status %d", answer.Status)
	}
	page := new(connectionPage)
	if err := json.Unmarshal(answer.Body, page); err != nil {
		return nil, errors.New("a page is not JSON of the expected shape")
	}
	list := page.Items
	if list == nil {
		list = page.Connections
	}
	if list == nil || json.Unmarshal(list, &page.connections) != nil {
		return nil, errors.New("a page has no list of connections")
	}
	return page, nil
}

var _ Source = (*Matcher)(nil)
