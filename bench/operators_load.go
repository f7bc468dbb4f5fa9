package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// timings are how long something took, each time that it was done.
type timings struct {
	mu    sync.Mutex
	all   []time.Duration
	bytes int64
	fails []string // what went wrong; all of it is counted, the first few are shown
}

func (t *timings) add(began time.Time, size int64) {
	took := time.Since(began)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all, t.bytes = append(t.all, took), t.bytes+size
}

func (t *timings) fail(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fails = append(t.fails, fmt.Sprintf(format, args...))
}

func (t *timings) p99() time.Duration {
	if len(t.all) == 0 {
		return 0
	}
	slices.Sort(t.all)
	return t.all[(len(t.all)*99-1)/100]
}

// sidecar is one process with an admin API.
type sidecar struct {
	*setup
	operators string // URL of the admin API
}

// request asks an admin API, reads the answer to its end, and puts it into answer if not
// nil.
func request(ctx context.Context, bearer, method, url, body string, answer any) (status int, size int64, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	got, err := manyClients.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer got.Body.Close()
	if answer == nil {
		size, err = io.Copy(io.Discard, got.Body)
		return got.StatusCode, size, err
	}
	var text bytes.Buffer
	if _, err := io.Copy(&text, got.Body); err != nil {
		return got.StatusCode, 0, err
	}
	if got.StatusCode/100 == 2 && text.Len() > 0 {
		err = json.Unmarshal(text.Bytes(), answer)
	}
	return got.StatusCode, int64(text.Len()), err
}

var manyClients = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

// lists are what the operators ask for, over and over.
var lists = []struct {
	path  string
	whole bool
}{
	{"/v1/exceptions/callbacks/credentials", true},
	{"/v1/credentials?limit=1000", false},
	{"/v1/discovery/webhooks/tokens", true},
	{"/v1/credentials?search=nobody-is-called-that", false},
	{"/v1/credentials?label=nobody&limit=1000", false},
	{"/v1/credentials?status=revoked", false},
	{"/v1/credentials?unusedSince=2001-01-01T00:00:00Z", false},
	{"/v1/audit?limit=1000", false},
}

// underLists is what was measured while operators list.
type underLists struct {
	pages, whole                          timings
	busy                                  int // answers that say that too many whole lists are read
	mints, revokes, spread                timings
	vendors                               timings
	age                                   float64 // of any keyring, at most, in seconds
	ageUnknown                            error
	memoryIdle, memoryBefore, memoryAfter []float64
	took                                  time.Duration
}

// list asks for every list in turn, with one of the sidecars, until ctx ends.
func (u *underLists) list(ctx context.Context, s sidecar, bearer string, client int) {
	for i := client; ctx.Err() == nil; i++ {
		l := lists[i%len(lists)]
		began := time.Now()
		status, size, err := request(ctx, bearer, http.MethodGet, s.operators+l.path, "", nil)
		into := &u.pages
		if l.whole {
			into = &u.whole
		}
		switch {
		case ctx.Err() != nil: // what came of it counts
			into.mu.Lock()
			into.bytes += size
			into.mu.Unlock()
		case l.whole && status == http.StatusTooManyRequests:
			u.pages.mu.Lock()
			u.busy++
			u.pages.mu.Unlock()
		case err != nil || status != http.StatusOK:
			into.fail("%s: %d, %v", l.path, status, err)
		default:
			into.add(began, size)
		}
	}
}

// change mints and revokes a credential of another tenant again and again, and waits until
// the other sidecar has seen both.
func (u *underLists) change(ctx context.Context, at, other sidecar, bearer string) {
	for ctx.Err() == nil {
		var made struct{ ID, Token string }
		began := time.Now()
		status, _, err := request(ctx, bearer, http.MethodPost, at.operators+"/v1/credentials", `{"kind":"callback"}`, &made)
		if ctx.Err() != nil {
			return
		}
		if err != nil || status != http.StatusCreated {
			u.mints.fail("mint: %d, %v", status, err)
			continue
		}
		u.mints.add(began, 0)
		u.await(ctx, other, made.Token, http.StatusOK)
		began = time.Now()
		status, _, err = request(ctx, bearer, http.MethodDelete, at.operators+"/v1/credentials/"+made.ID, "", nil)
		if ctx.Err() != nil {
			return
		}
		if err != nil || status != http.StatusNoContent {
			u.revokes.fail("revoke: %d, %v", status, err)
			continue
		}
		u.revokes.add(began, 0)
		u.await(ctx, other, made.Token, http.StatusUnauthorized)
	}
}

// await posts with a token until the answer is what is wanted: how long that takes is how
// long the change was on its way to the other sidecar.
func (u *underLists) await(ctx context.Context, s sidecar, token string, want int) {
	began := time.Now()
	for ctx.Err() == nil {
		status, err := callBack(ctx, s, token)
		switch {
		case err == nil && status == want:
			u.spread.add(began, 0)
			return
		case time.Since(began) > 10*time.Second:
			u.spread.fail("after 10 s it is still %d, %v", status, err)
			return
		}
	}
}

// vendor posts with a live token until ctx ends, with a pause between.
func (u *underLists) vendor(ctx context.Context, s sidecar, token string, pause time.Duration) {
	for ctx.Err() == nil {
		time.Sleep(pause)
		began := time.Now()
		status, err := callBack(ctx, s, token)
		switch {
		case ctx.Err() != nil:
		case err != nil || status != http.StatusOK:
			u.vendors.fail("a vendor got %d, %v", status, err)
		default:
			u.vendors.add(began, 0)
		}
	}
}

func callBack(ctx context.Context, s sidecar, token string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader("{}"))
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-Callback-Token", token)
	req.Header.Set("Content-Type", "application/json")
	answer, err := manyClients.Do(req)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// watchAge notes the greatest age of a keyring.
func (u *underLists) watchAge(ctx context.Context, s sidecar) {
	for ctx.Err() == nil {
		age, err := s.metric(ctx, "hookgate_keyring_age_seconds")
		u.vendors.mu.Lock()
		if err == nil {
			u.age = max(u.age, age)
		} else if ctx.Err() == nil {
			u.ageUnknown = err
		}
		u.vendors.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
	}
}
