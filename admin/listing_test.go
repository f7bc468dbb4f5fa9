package admin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// longList is how many credentials take more than one page of a whole list.
const longList = 1200

// fill mints callback credentials for tenantA.
func (s *server) fill(n int) {
	s.t.Helper()
	for range n {
		if _, _, err := s.store.Mint(s.t.Context(), credential.Spec{Tenant: tenantA, Kind: credential.KindCallback}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// firstWrite calls f before anything of an answer's body is written.
type firstWrite struct {
	http.ResponseWriter
	once *sync.Once
	f    func()
}

func (w firstWrite) Write(b []byte) (int, error) {
	w.once.Do(w.f)
	return w.ResponseWriter.Write(b)
}

func (w firstWrite) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// overHTTP serves s, and calls f before an answer's body begins.
func (s *server) overHTTP(f func()) *httptest.Server {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handler.ServeHTTP(firstWrite{w, new(sync.Once), f}, r)
	}))
	s.t.Cleanup(web.Close)
	return web
}

func (s *server) ask(web *httptest.Server, path string) (*http.Response, []byte, error) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, web.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", viewerOf(s.t, tenantA))
	answer, err := web.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

// TestWholeListsAreLimited: however long the lists and however many ask, the process reads
// few of them at once. Short ones and pages are not held up by long ones.
func TestWholeListsAreLimited(t *testing.T) {
	s := newServer(t)
	s.fill(longList)
	reading, goOn := make(chan struct{}), make(chan struct{})
	web := s.overHTTP(func() {
		reading <- struct{}{}
		<-goOn
	})
	resume := sync.OnceFunc(func() { close(goOn) })
	t.Cleanup(resume) // or the server would wait for them
	var lists sync.WaitGroup
	for range 4 {
		lists.Go(func() {
			_, body, err := s.ask(web, callbacksPath)
			var list struct{ Credentials []json.RawMessage }
			if err == nil {
				err = json.Unmarshal(body, &list)
			}
			if err != nil || len(list.Credentials) != longList {
				t.Errorf("%d credentials, %v", len(list.Credentials), err)
			}
		})
	}
	for range 4 {
		<-reading
	}
	a := s.as(viewerOf(t, tenantA), "GET", callbacksPath, "")
	checkProblem(t, a, 429, "HKG-2040")
	if a.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
	}
	s.must(200, viewerOf(t, tenantA), "GET", "/v1/credentials", "")
	s.must(200, viewerOf(t, tenantB), "GET", callbacksPath, "")
	resume()
	lists.Wait()
	s.must(200, viewerOf(t, tenantA), "GET", callbacksPath, "")
}

// TestCutList: a list that cannot be read to its end does not look like a whole one, and
// is not counted as one.
func TestCutList(t *testing.T) {
	redis := redistest.Start(t)
	st := newStore(t, store.Config{Redis: redisconn.Server{URLs: []string{redis.URL()}}, Namespace: "hookgate"})
	await(t, st, func(stats store.Stats) bool { return stats.Loaded })
	s := newServerOn(t, st)
	s.fill(longList)
	web := s.overHTTP(redis.Kill)
	answer, body, err := s.ask(web, callbacksPath)
	if answer.StatusCode != 200 || err == nil || json.Valid(body) {
		t.Errorf("%d, %v, whole: %t", answer.StatusCode, err, json.Valid(body))
	}
	select {
	case seen := <-s.observed:
		if want := (observation{"listCallbackCredentials", 0}); seen != want {
			t.Errorf("counted as %+v, want %+v", seen, want)
		}
	case <-time.After(10 * time.Second):
		t.Error("it was not counted")
	}
}
