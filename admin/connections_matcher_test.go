package admin_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/admin/connections"
)

const (
	aggregatorList = "GET /v1/discovery/aggregator-connections"
	databaseList   = "GET /v1/discovery/connections"
)

// matcher serves canned lists, by route and cursor, and notes who asked.
type matcher struct {
	*httptest.Server
	pages map[string]string // "<route> <cursor>" to body
	got   []*http.Request
}

func newMatcher(t testing.TB, pages map[string]string) *matcher {
	m := &matcher{pages: pages}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *matcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.got = append(m.got, r)
	body, ok := m.pages[r.Method+" "+r.URL.Path+" "+r.URL.Query().Get("cursor")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	fmt.Fprint(w, body)
}

// patient is a timeout that only a broken test reaches.
const patient = 30 * time.Second

func connectionsAt(t testing.TB, url string, timeout time.Duration) *connections.Matcher {
	t.Helper()
	connections, err := connections.NewMatcher(url, timeout, nil)
	if err != nil {
		t.Fatal(err)
	}
	return connections
}

func TestMatcherConnections(t *testing.T) {
	const pluggy, belvo = `{"vendor":"pluggy","configName":"main","baseUrl":"x","accountRef":"y"}`, `{"vendor":"belvo","configName":"second"}`
	for _, tc := range []struct {
		name  string
		pages map[string]string
		query connections.Query
		want  bool
		asked int
	}{
		{"there", map[string]string{aggregatorList + " ": `{"items":[` + belvo + `,` + pluggy + `],"limit":200,"hasMore":false}`}, connections.Query{Vendor: "pluggy", Name: "main"}, true, 1},
		{"of another vendor", map[string]string{aggregatorList + " ": `{"items":[` + pluggy + `]}`}, connections.Query{Vendor: "belvo", Name: "main"}, false, 1},
		{"of another name", map[string]string{aggregatorList + " ": `{"items":[` + pluggy + `]}`}, connections.Query{Vendor: "pluggy", Name: "Main"}, false, 1},
		{"none", map[string]string{aggregatorList + " ": `{"items":[],"hasMore":false}`}, connections.Query{Vendor: "pluggy", Name: "main"}, false, 1},
		{"null", map[string]string{aggregatorList + " ": `{"items":null,"limit":200,"hasMore":false}`}, connections.Query{Vendor: "pluggy", Name: "main"}, false, 1},
		{"on the second page", map[string]string{
			aggregatorList + " ":       `{"items":[` + belvo + `],"hasMore":true,"nextCursor":"a+b/=&"}`,
			aggregatorList + " a+b/=&": `{"items":[` + pluggy + `],"hasMore":false,"prevCursor":"x"}`,
		}, connections.Query{Vendor: "pluggy", Name: "main"}, true, 2},
		{"found, so the rest is not read", map[string]string{aggregatorList + " ": `{"items":[` + pluggy + `],"hasMore":true,"nextCursor":"next"}`}, connections.Query{Vendor: "pluggy", Name: "main"}, true, 1},
		{"no more, whatever the cursor", map[string]string{aggregatorList + " ": `{"items":[],"hasMore":false,"nextCursor":"next"}`}, connections.Query{Vendor: "pluggy", Name: "main"}, false, 1},
		{"2.x", map[string]string{databaseList + " ": `{"connections":[{"id":"x","configName":"main","databaseType":"POSTGRESQL"}]}`}, connections.Query{Vendor: "belvo", Name: "main"}, true, 2},
		{"2.x, of another name", map[string]string{databaseList + " ": `{"connections":[{"configName":"other"}]}`}, connections.Query{Vendor: "belvo", Name: "main"}, false, 2},
		{"2.x, none", map[string]string{databaseList + " ": `{"connections":[]}`}, connections.Query{Vendor: "belvo", Name: "main"}, false, 2},
		{"4.1 is not asked for databases", map[string]string{aggregatorList + " ": `{"items":[]}`, databaseList + " ": `{"connections":[{"configName":"main"}]}`}, connections.Query{Vendor: "pluggy", Name: "main"}, false, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := newMatcher(t, tc.pages)
			tc.query.Bearer = "operators.own.token"
			got, err := connectionsAt(t, m.URL, patient).Exists(t.Context(), tc.query)
			if err != nil || got != tc.want {
				t.Errorf("%v, %v, want %v", got, err, tc.want)
			}
			if len(m.got) != tc.asked {
				t.Errorf("asked %d times, want %d", len(m.got), tc.asked)
			}
			for _, r := range m.got {
				if r.Header.Get("Authorization") != "Bearer operators.own.token" {
					t.Errorf("Authorization %q", r.Header["Authorization"])
				}
			}
		})
	}
}

func TestMatcherConnectionsBelowAPath(t *testing.T) {
	m := newMatcher(t, map[string]string{"GET /matcher/v1/discovery/aggregator-connections ": `{"items":[{"vendor":"pluggy","configName":"main"}]}`})
	got, err := connectionsAt(t, m.URL+"/matcher/", patient).Exists(t.Context(), connections.Query{Vendor: "pluggy", Name: "main", Bearer: "operators.own.token"})
	if err != nil || !got {
		t.Errorf("%v, %v", got, err)
	}
}

// TestUnusableMatcher: whatever Matcher answers or does not, nothing is minted
// unless it says that the connection is there, and the operator gets to know why.
func TestUnusableMatcher(t *testing.T) {
	elsewhere := newMatcher(t, map[string]string{aggregatorList + " ": `{"items":[{"vendor":"pluggy","configName":"main"}]}`})
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, `{"items":[{"vendor":"pluggy","configName":"main"}]}`)
		}
	}
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		status int
		code   string
	}{
		{"401", status(401), 502, "HKG-2031"},
		{"403", status(403), 502, "HKG-2031"},
		{"neither list", status(404), 502, "HKG-2030"},
		{"429", status(429), 502, "HKG-2030"},
		{"500", status(500), 502, "HKG-2030"},
		{"201", status(201), 502, "HKG-2030"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusFound)
		}, 502, "HKG-2030"},
		{"redirect that keeps the method", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
		}, 502, "HKG-2030"},
		{"empty", body(""), 502, "HKG-2030"},
		{"HTML", body("<html>"), 502, "HKG-2030"},
		{"list without an envelope", body(`[{"vendor":"pluggy","configName":"main"}]`), 502, "HKG-2030"},
		{"object without a list", body(`{}`), 502, "HKG-2030"},
		{"list of another type", body(`{"items":{"vendor":"pluggy","configName":"main"}}`), 502, "HKG-2030"},
		{"names of another type", body(`{"items":[{"vendor":"pluggy","configName":1}]}`), 502, "HKG-2030"},
		{"more behind it", body(`{"items":[{"vendor":"pluggy","configName":"main"}]} {}`), 502, "HKG-2030"},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"items":[]}`)
		}, 502, "HKG-2030"},
		{"too large", body(`{"items":[],"x":"` + strings.Repeat("x", 1<<20) + `"}`), 502, "HKG-2030"},
		{"more without a cursor", body(`{"items":[],"hasMore":true}`), 502, "HKG-2030"},
		{"cursor that stands still", body(`{"items":[],"nextCursor":"a"}`), 502, "HKG-2030"},
		{"endless", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"items":[],"nextCursor":"%sx"}`, r.URL.Query().Get("cursor"))
		}, 502, "HKG-2030"},
		{"ends in the middle", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("cursor") != "" {
				http.NotFound(w, r)
				return
			}
			fmt.Fprint(w, `{"items":[],"nextCursor":"a"}`)
		}, 502, "HKG-2030"},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 502, "HKG-2030"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := httptest.NewServer(tc.answer)
			defer m.Close()
			s := newServer(t, withConnections(connectionsAt(t, m.URL, patient)))
			checkProblem(t, s.as(adminOf(t, tenantA), "POST", tokensPath, mintPluggy), tc.status, tc.code)
			s.expectNoTokens()
			for _, secret := range strings.Fields(adminOf(t, tenantA))[1:] {
				if strings.Contains(s.log.String(), secret) {
					t.Error("the operator's token is in the log")
				}
			}
		})
	}
	if len(elsewhere.got) > 0 {
		t.Error("the operator's token was taken elsewhere")
	}
	t.Run("nobody there", func(t *testing.T) {
		gone := httptest.NewServer(body(""))
		gone.Close()
		s := newServer(t, withConnections(connectionsAt(t, gone.URL, patient)))
		checkProblem(t, s.as(adminOf(t, tenantA), "POST", tokensPath, mintPluggy), 502, "HKG-2030")
		s.expectNoTokens()
	})
	t.Run("too slow", func(t *testing.T) {
		release := make(chan struct{})
		m := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
		defer m.Close()
		defer close(release)
		s := newServer(t, withConnections(connectionsAt(t, m.URL, 50*time.Millisecond)))
		a := s.as(adminOf(t, tenantA), "POST", tokensPath, mintPluggy)
		checkProblem(t, a, 504, "HKG-2032")
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		s.expectNoTokens()
	})
}

func TestMatcherIsAskedWithTheOperatorsToken(t *testing.T) {
	m := newMatcher(t, map[string]string{aggregatorList + " ": `{"items":[{"vendor":"pluggy","configName":"main"}]}`})
	s := newServer(t, withConnections(connectionsAt(t, m.URL, patient)))
	scheme, token, _ := strings.Cut(adminOf(t, tenantA), " ")
	s.must(201, strings.ToUpper(scheme)+"   "+token, "POST", tokensPath, mintPluggy)
	if got := m.got[0].Header.Get("Authorization"); got != "Bearer "+token {
		t.Errorf("Matcher was asked with %q", got)
	}
	s.must(404, "Bearer "+token, "POST", tokensPath, `{"vendor":"belvo","connection_config_name":"main"}`)
}

func TestMatcherURL(t *testing.T) {
	for _, url := range []string{"http://matcher:4018", "https://matcher.example.com/base/"} {
		if _, err := connections.NewMatcher(url, time.Second, nil); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{"", "matcher:4018", "/matcher", "ftp://matcher", "http://", "http://user:hunter2@matcher", "http://matcher?a", "http://matcher#", "http://%zz"} {
		if _, err := connections.NewMatcher(url, time.Second, nil); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := connections.NewMatcher("http://matcher", 0, nil); err == nil {
		t.Error("no timeout was accepted")
	}
}

// TestMatcherIsAskedOfEveryWay: a webhook credential can be made in three ways.
func TestMatcherIsAskedOfEveryWay(t *testing.T) {
	m := newMatcher(t, map[string]string{aggregatorList + " ": `{"items":[{"vendor":"pluggy","configName":"main"}]}`})
	s := newServer(t, withConnections(connectionsAt(t, m.URL, patient)))
	operator := adminOf(t, tenantA)
	create := `{"kind":"webhook","vendor":%q,"connection":"main"}`
	s.must(201, operator, "POST", "/v1/credentials", fmt.Sprintf(create, "pluggy"))
	checkProblem(t, s.as(operator, "POST", "/v1/credentials", fmt.Sprintf(create, "belvo")), 404, "HKG-2004")

	line := `{"kind":"webhook","vendor":%q,"connection":%q,"digest":"%064x"}`
	body := fmt.Sprintf(`{"credentials":[`+line+`,`+line+`]}`, "pluggy", "main", 1, "belvo", "main", 2)
	m.got = nil
	results := s.must(200, operator, "POST", "/v1/credentials/import", body).list(t, "results")
	if len(m.got) != 1 {
		t.Errorf("an import read the list %d times", len(m.got))
	}
	if results[0]["status"] != "created" || results[1]["status"] != "refused" || results[1]["code"] != "HKG-2004" {
		t.Errorf("imported %v", results)
	}

	m.pages = nil // it answers 404 to everything now
	m.got = nil
	checkProblem(t, s.as(operator, "POST", "/v1/credentials", fmt.Sprintf(create, "pluggy")), 502, "HKG-2030")
	asked := len(m.got)
	body = fmt.Sprintf(`{"credentials":[`+line+`,`+line+`,{"kind":"callback","digest":"%064x"}]}`, "pluggy", "a", 3, "pluggy", "b", 4, 5)
	results = s.must(200, operator, "POST", "/v1/credentials/import", body).list(t, "results")
	if results[0]["code"] != "HKG-2030" || results[1]["code"] != "HKG-2030" || results[2]["status"] != "created" {
		t.Errorf("imported %v", results)
	}
	if len(m.got) != 2*asked {
		t.Errorf("a Matcher that cannot tell was asked %d times for two lines", len(m.got)-asked)
	}
}

// TestMatcherWithPrivateAuthority: its certificate is trusted where its authority is given.
func TestMatcherWithPrivateAuthority(t *testing.T) {
	server := httptest.NewTLSServer(&matcher{pages: map[string]string{aggregatorList + " ": `{"items":[{"vendor":"pluggy","configName":"main"}]}`}})
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for _, tc := range []struct {
		roots *x509.CertPool
		want  error
	}{{roots, nil}, {nil, connections.ErrAnswer}} {
		asked, err := connections.NewMatcher(server.URL, patient, tc.roots)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := asked.Exists(t.Context(), connections.Query{Vendor: "pluggy", Name: "main", Bearer: "x"}); !errors.Is(err, tc.want) {
			t.Errorf("%v, want %v", err, tc.want)
		}
	}
}
