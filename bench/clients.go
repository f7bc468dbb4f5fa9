package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// clientTotals are what clients have met.
type clientTotals struct {
	sent, refused, lost int
	reasons             []string // of the first failures
}

// clients send accepted requests without a pause, and take note of every failure: wrk
// only counts them.
type clients struct {
	running sync.WaitGroup
	mu      sync.Mutex
	total   clientTotals
}

func startClients(ctx context.Context, s *setup) *clients {
	c := new(clients)
	for range connections {
		c.running.Go(func() {
			// Each has a connection of its own, so that every reload meets all of them.
			transport := new(http.Transport)
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			var own clientTotals
			for ctx.Err() == nil {
				own.add(ctx, client, s)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.total.sent += own.sent
			c.total.refused += own.refused
			c.total.lost += own.lost
			c.total.reasons = append(c.total.reasons, own.reasons...)
		})
	}
	return c
}

func (c *clients) wait() clientTotals {
	c.running.Wait()
	return c.total
}

var kilobyte = bytes.Repeat([]byte("x"), 1<<10)

// add sends one request. One that crosses the server's closing of an idle connection is
// lost as well: RFC 9112, 9.3.1 leaves it to clients to send it once more, and none does
// with a POST.
func (t *clientTotals) add(ctx context.Context, client *http.Client, s *setup) {
	t.sent++
	status, err := post(ctx, client, s)
	switch {
	case ctx.Err() != nil: // it is over
		t.sent--
		return
	case err != nil:
		t.lost++
		t.note(cause(err).Error())
	case status != http.StatusOK:
		t.refused++
		t.note(fmt.Sprintf("status %d", status))
	}
}

// cause is err without the addresses around it.
func cause(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

func (t *clientTotals) note(reason string) {
	if len(t.reasons) < 3 {
		t.reasons = append(t.reasons, reason)
	}
}

func post(ctx context.Context, client *http.Client, s *setup) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(kilobyte))
	if err != nil {
		return 0, err
	}
	req.GetBody = nil // or net/http would send it again, and say nothing
	req.Header.Set("X-Callback-Token", s.token)
	answer, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}
