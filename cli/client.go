package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/internal/fetch"
	"github.com/hookgate/hookgate/problem"
)

const (
	// operatorTimeout bounds one request. The server gives the store two seconds; the
	// rest is for a busy network.
	operatorTimeout = 30 * time.Second
	// exportTimeout bounds an export, which is as long as the log.
	exportTimeout = 30 * time.Minute
	// maxAnswer is far above a page of 1000 credentials, each as large as can be.
	maxAnswer = 64 << 20
	// tooManyTries and tooManyWait bound how long a command of many requests waits
	// for its turn.
	tooManyTries = 10
	tooManyWait  = 10 * time.Second
)

// operatorClient talks to the admin API for the commands.
type operatorClient struct {
	base  *url.URL
	token string // the operator's bearer token
	// tenant is the one that the operator chose; "" leaves it to the token.
	tenant string
	fetch  *fetch.Client
	long   *fetch.Client // for what is as long as the data
}

func newOperatorClient(base *url.URL, token, tenant string) *operatorClient {
	within := func(timeout time.Duration) *fetch.Client {
		return fetch.New(fetch.Options{Timeout: timeout, MaxBody: maxAnswer, Proxy: http.ProxyFromEnvironment})
	}
	return &operatorClient{base: base, token: token, tenant: tenant, fetch: within(operatorTimeout), long: within(exportTimeout)}
}

// call is one request to the admin API.
type call struct {
	method, path string
	query        url.Values
	body         any    // sent as JSON; nil for none
	key          string // Idempotency-Key
}

// do makes a request and decodes the answer into out. It returns the status, and an
// *apiError for anything but success.
func (c *operatorClient) do(ctx context.Context, call call, out any) (status int, err error) {
	answer, err := c.ask(ctx, call, c.fetch.Do)
	switch {
	case err != nil && answer == nil:
		return 0, err
	case err != nil, out == nil:
		return answer.Status, err
	}
	if err := json.Unmarshal(answer.Body, out); err != nil {
		return answer.Status, errors.New("the server answers, but not as Hookgate does")
	}
	return answer.Status, nil
}

// copy makes a request and writes the answer to w.
func (c *operatorClient) copy(ctx context.Context, call call, w io.Writer) error {
	_, err := c.ask(ctx, call, func(r *http.Request) (*fetch.Answer, error) { return c.long.Copy(r, w) })
	return err
}

// ask makes a request, again where it is told to wait. It returns an *apiError for
// anything but success.
func (c *operatorClient) ask(ctx context.Context, call call, send func(*http.Request) (*fetch.Answer, error)) (answer *fetch.Answer, err error) {
	var body []byte
	if call.body != nil {
		if body, err = json.Marshal(call.body); err != nil {
			return nil, err
		}
	}
	for try := 1; ; try++ {
		request, err := c.request(ctx, call, body)
		if err != nil {
			return nil, err
		}
		answer, err := send(request)
		switch {
		case errors.Is(err, fetch.ErrIncomplete):
			return nil, errors.New("the answer could not be read to its end; whatever was asked for may have been done")
		case err != nil && answer != nil: // what is here cannot take it
			return nil, err
		case err != nil:
			return nil, fmt.Errorf("%s does not answer: %w", c.base.Host, err)
		case answer.Status == http.StatusTooManyRequests && try < tooManyTries && await(ctx, answer.Header.Get("Retry-After")):
			continue // nothing has been done yet
		case answer.Status >= 300:
			return answer, newAPIError(answer)
		}
		return answer, nil
	}
}

func (c *operatorClient) request(ctx context.Context, call call, body []byte) (*http.Request, error) {
	target := c.base.JoinPath(call.path)
	target.RawQuery = call.query.Encode()
	request, err := http.NewRequestWithContext(ctx, call.method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	request.Header.Set("User-Agent", "hookgate")
	if c.tenant != "" {
		request.Header.Set(api.TenantHeader, c.tenant)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if call.key != "" {
		request.Header.Set("Idempotency-Key", call.key)
	}
	return request, nil
}

// await waits as long as a Retry-After says, and reports whether it was worth it.
func await(ctx context.Context, retryAfter string) bool {
	seconds, err := strconv.Atoi(retryAfter)
	if err != nil || seconds < 0 || time.Duration(seconds)*time.Second > tooManyWait {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(seconds) * time.Second):
		return true
	}
}

// apiError is what the admin API refused a request with.
type apiError struct {
	Status   int    `json:"-"`
	Code     string `json:"code"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
	Errors   []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
	requestID string
}

func newAPIError(answer *fetch.Answer) error {
	switch failure := (&apiError{Status: answer.Status, requestID: answer.Header.Get("X-Request-Id")}); {
	case json.Unmarshal(answer.Body, failure) == nil && failure.Code != "":
		if failure.requestID == "" {
			failure.requestID = strings.TrimPrefix(failure.Instance, "urn:uuid:")
		}
		return failure
	case answer.Status < 400:
		return fmt.Errorf("the server redirects (status %d), which is not followed with a bearer token: give its own address", answer.Status)
	}
	return fmt.Errorf("status %d %s, and not in the words of Hookgate: is this the address of the admin API?", answer.Status, http.StatusText(answer.Status))
}

// Error returns the code, the detail, what is wrong where, and the request id by
// which the server's log has more.
func (e *apiError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s", e.Code, e.Detail)
	for _, at := range e.Errors {
		fmt.Fprintf(&text, "\n  %s: %s", at.Location, at.Message)
	}
	if e.Code == problem.NoRoute.Code { // the guard's
		text.WriteString("\n  this is where vendors post: is --server the address of the admin API?")
	}
	if e.requestID != "" {
		fmt.Fprintf(&text, "\n  request id %s", e.requestID)
	}
	return text.String()
}
