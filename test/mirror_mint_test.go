package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestMirrorKeepsOrTakesBack: what Matcher minted and the data set did not take is revoked
// at Matcher again; nothing is minted where that is clear before.
func TestMirrorKeepsOrTakesBack(t *testing.T) {
	t.Parallel()
	s := onRedis(t)
	m := mirrorOf(t, s)
	operator := m.operator(t, tenantA, "admin")
	old, other := operator.mintCallback("old"), operator.mintCallback("other")
	full := func(is bool) {
		t.Helper()
		limit := "0"
		if is {
			limit = "1"
		}
		s.redis.Await(t, "maxmemory "+limit, func(rdb *redis.Client) bool {
			return rdb.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err() == nil && rdb.ConfigSet(t.Context(), "maxmemory", limit).Err() == nil
		})
	}
	live := func() (n int) {
		t.Helper()
		a := operator.do(http.MethodGet, callbackCredentials, "")
		wantStatus(t, a, http.StatusOK)
		return bytes.Count(a.body, []byte(`"id"`)) - bytes.Count(a.body, []byte(`"revokedAt"`))
	}
	if live() != 2 {
		t.Fatalf("%d live credentials", live())
	}
	full(true)
	for _, path := range []string{callbackCredentials, "/v1/credentials"} {
		body := `{}`
		if path == "/v1/credentials" {
			body = `{"kind":"callback"}`
		}
		wantProblem(t, operator.do(http.MethodPost, path, body), http.StatusServiceUnavailable, "HKG-2035")
	}
	if live() != 2 {
		t.Errorf("%d live credentials at Matcher after a mint that was not kept", live())
	}
	wantProblem(t, operator.do(http.MethodPost, callbackCredentials+"/"+old.id+"/rotate", ""), http.StatusServiceUnavailable, "HKG-2035")
	if live() != 1 || m.posts(old) != http.StatusUnauthorized {
		t.Errorf("after a rotation that was not kept %d are live, and the old one is %d", live(), m.posts(old))
	}
	full(false)
	if m.posts(other) != http.StatusOK {
		t.Error("another credential does not work")
	}
	m.Asked()
	s.redis.Stop()
	hookgatetest.Eventually(t, "Redis is known to be down", func() bool { return metric(t, m.gate, "hookgate_redis_up") == 0 })
	wantProblem(t, operator.do(http.MethodPost, callbackCredentials, `{}`), http.StatusServiceUnavailable, "HKG-2503")
	if asked := m.Asked(); len(asked) > 0 {
		t.Errorf("without Redis Matcher was asked for %v", asked)
	}
	// A leaked token ends where it can be ended.
	wantProblem(t, operator.do(http.MethodDelete, callbackCredentials+"/"+other.id, ""), http.StatusServiceUnavailable, "HKG-2503")
	if status := m.straight(other); status != http.StatusUnauthorized {
		t.Errorf("at Matcher it is %d", status)
	}
}

// TestMirrorOfAMatcherThatDoesNotAnswer: nothing is kept, and the answer says whether
// anything can have happened.
func TestMirrorOfAMatcherThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	m := mirrorOf(t, embedded(t))
	operator := m.operator(t, tenantA, "admin")
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		status int
		code   string
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, 502, "HKG-2033"},
		"no JSON":  {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201); fmt.Fprint(w, "<html>") }, 502, "HKG-2033"},
		"no token": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201); fmt.Fprint(w, `{}`) }, 502, "HKG-2033"},
		"too large": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(201)
			w.Write(bytes.Repeat([]byte(" "), 1<<20))
		}, 502, "HKG-2033"},
		"broken off": {func(w http.ResponseWriter, r *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				conn.Close()
			}
		}, 504, "HKG-2034"},
	} {
		m.Before(func(w http.ResponseWriter, r *http.Request) bool {
			test.answer(w, r)
			return true
		})
		t.Run(name, func(t *testing.T) {
			wantProblem(t, operator.do(http.MethodPost, callbackCredentials, `{}`), test.status, test.code)
		})
	}
	m.Before(nil)
	m.down()
	wantProblem(t, operator.do(http.MethodPost, callbackCredentials, `{}`), http.StatusBadGateway, "HKG-2033")
	wantProblem(t, operator.do(http.MethodPost, "/v1/credentials", `{"kind":"callback"}`), http.StatusBadGateway, "HKG-2033")
	wantProblem(t, operator.do(http.MethodGet, callbackCredentials, ""), http.StatusBadGateway, "HKG-2033")
	if own := operator.do(http.MethodGet, "/v1/credentials", ""); !bytes.Contains(own.body, []byte(`"credentials":[]`)) {
		t.Errorf("kept: %s", own.body)
	}
}

// TestMirrorRepeats: a mint that is sent again is not made again.
func TestMirrorRepeats(t *testing.T) {
	t.Parallel()
	m := mirrorOf(t, embedded(t))
	operator := m.operator(t, tenantA, "admin")
	send := func(path, body, key string) answer {
		return operator.do(http.MethodPost, path, body, "Idempotency-Key: "+key)
	}
	wantStatus(t, send(callbackCredentials, `{}`, "facade"), http.StatusCreated)
	wantProblem(t, send(callbackCredentials, `{}`, "facade"), http.StatusConflict, "HKG-2012")
	made := send("/v1/credentials", `{"kind":"callback"}`, "own")
	wantStatus(t, made, http.StatusCreated)
	again := send("/v1/credentials", `{"kind":"callback"}`, "own")
	wantStatus(t, again, http.StatusOK)
	if again.header.Get("Idempotency-Replayed") != "true" || bytes.Contains(again.body, []byte(`"token"`)) {
		t.Errorf("the replay is %v %s", again.header, again.body)
	}
	wantProblem(t, send("/v1/credentials", `{"kind":"callback","label":"x"}`, "own"), http.StatusConflict, "HKG-2011")
	var first struct{ ID string }
	if err := json.Unmarshal(made.body, &first); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, send("/v1/credentials/"+first.ID+"/rotate", "", "rotation"), http.StatusCreated)
	wantStatus(t, send("/v1/credentials/"+first.ID+"/rotate", "", "rotation"), http.StatusOK)
	if asked := m.Asked(); len(asked) != 3 {
		t.Errorf("Matcher was asked for %v", asked)
	}
}

// TestMirrorRepeatsAtOnce: of equal requests at the same time one is carried out, and what
// Matcher minted for the others is not left live.
func TestMirrorRepeatsAtOnce(t *testing.T) {
	t.Parallel()
	m := mirrorOf(t, embedded(t))
	operator := m.operator(t, tenantA, "admin")
	const n = 8
	together := make(chan struct{})
	var arrived sync.WaitGroup
	arrived.Add(n)
	m.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			arrived.Done()
			<-together
		}
		return false
	})
	go func() { arrived.Wait(); close(together) }()
	var statuses [n]int
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			statuses[i] = operator.do(http.MethodPost, "/v1/credentials", `{"kind":"callback"}`, "Idempotency-Key: same").status
		})
	}
	all.Wait()
	slices.Sort(statuses[:])
	if statuses[0] != http.StatusOK || statuses[n-2] != http.StatusOK || statuses[n-1] != http.StatusCreated {
		t.Errorf("the answers are %v", statuses)
	}
	live := 0
	for _, c := range operator.list(callbackCredentials) {
		if c.RevokedAt == "" {
			live++
		}
	}
	if live != 1 {
		t.Errorf("%d are live at Matcher", live)
	}
}
