package senders

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

func TestMain(m *testing.M) { hookgatetest.Main(m) }

// requireEnv, set to 1, makes a missing sender fail the test instead of skipping it.
const requireEnv = "HOOKGATE_REQUIRE_SENDERS"

// sender is a client of webhooks, and how it differs from what every sender does.
type sender struct {
	name    string
	command []string
	// connections are those it takes turns with, where it has more than one.
	connections int
	// adds is a Content-Type of its own, beside the one that it is told.
	adds string
	// cannot are the cases that the sender has no way to make.
	cannot []string
	// bodiless are the cases in which it shows its user the status alone.
	bodiless []string
	// repeats are the cases in which it keeps the answer from its user and asks again.
	repeats []string
}

// allSenders returns every sender. Programs that must be compiled are in built.
func allSenders(built string) []sender {
	java := func(kind string) []string {
		return []string{"java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", strings.Join(append(jars, built), ":"), "Sender", kind}
	}
	chunked, expecting, closing := casesOf(" chunked"), casesOf(" expecting"), casesOf(" closing")
	// It does not let its user say Connection: close, and where it expects 100 Continue
	// and gets a refusal with a body it hangs, whatever its timeout says.
	notJava := append(closing, "401 expecting")
	return []sender{
		// First, since it takes longest.
		{name: "erlang-httpc", command: []string{"escript", "programs/httpc.escript"}, repeats: []string{"503 length", "503 chunked"}},
		{name: "java-httpclient", command: java("httpclient"), cannot: notJava},
		{name: "java-httpclient-http1", command: java("httpclient-http1"), cannot: notJava},
		{name: "java-httpurlconnection", command: java("urlconnection"), bodiless: []string{"401 chunked", "401 expecting", "401 closing"}},
		{name: "java-apache5", command: java("apache5")},
		{name: "curl", command: []string{"/usr/bin/python3", "programs/curl.py"}},
		{name: "wget2", command: []string{"/usr/bin/python3", "programs/wget2.py"}, adds: "application/x-www-form-urlencoded", cannot: slices.Concat(chunked, expecting, closing, []string{kept})},
		{name: "python-requests", command: []string{"/usr/bin/python3", "programs/python_requests.py"}, cannot: expecting},
		{name: "python-httpx", command: []string{"/usr/bin/python3", "programs/python_httpx.py"}, cannot: expecting},
		{name: "python-aiohttp", command: []string{"/usr/bin/python3", "programs/python_aiohttp.py"}},
		{name: "node-fetch", command: []string{"node", "node/fetch.js"}, connections: 2, cannot: expecting},
		{name: "node-http", command: []string{"node", "node/http.js"}},
		{name: "node-axios", command: []string{"node", "node/axios.js"}, cannot: expecting},
		{name: "node-got", command: []string{"node", "node/got.js"}, cannot: expecting},
		{name: "php-curl", command: []string{"php", "programs/curl.php"}},
		{name: "php-guzzle", command: []string{"php", "programs/guzzle.php"}},
		{name: "ruby-net-http", command: []string{"ruby", "programs/net_http.rb"}},
		{name: "perl-http-tiny", command: []string{"perl", "programs/http_tiny.pl"}, cannot: expecting},
		{name: "go-net-http", command: []string{filepath.Join(built, "go-net-http")}},
	}
}

// casesOf returns the names of the cases that are made in one way.
func casesOf(way string) (names []string) {
	for _, c := range sendings(contents{}) {
		if strings.HasSuffix(" "+c.name, way) {
			names = append(names, c.name)
		}
	}
	return names
}

// jars are what the Java program needs of Debian.
var jars = []string{
	"/usr/share/java/gson.jar", "/usr/share/java/httpclient5.jar", "/usr/share/java/httpcore5.jar",
	"/usr/share/java/httpcore5-h2.jar", "/usr/share/java/slf4j-api.jar",
}

// compile builds the programs that need it into dir. Where that fails, they are missing.
func compile(t *testing.T, dir string) {
	t.Helper()
	for _, build := range [][]string{
		{"javac", "-cp", strings.Join(jars, ":"), "-d", dir, "programs/Sender.java"},
		{"go", "build", "-o", filepath.Join(dir, "go-net-http"), "./programs"},
	} {
		if text, err := exec.Command(build[0], build[1:]...).CombinedOutput(); err != nil {
			t.Logf("%v: %v\n%s", build, err, text)
		}
	}
}

// TestSenders: what is accepted arrives once and as it was sent, and who is refused
// reads our answer, whatever it was still sending.
func TestSenders(t *testing.T) {
	built := t.TempDir()
	compile(t, built)
	s := newStage(t)
	cases := sendings(newContents(t))
	senders := allSenders(built)
	versions := make([]string, len(senders))
	t.Cleanup(func() { // after the parallel ones
		for i, from := range senders {
			if versions[i] != "" {
				fmt.Printf("%-24s %s\n", from.name, versions[i])
			}
		}
	})
	t.Run("senders", func(t *testing.T) {
		for i, from := range senders {
			t.Run(from.name, func(t *testing.T) {
				t.Parallel()
				from.test(t, s, cases, &versions[i])
			})
		}
	})
	s.checkOnce(t)
	s.deciding.checkLane(t)
}

// test has a sender make all cases. It leaves the version of the sender, or what is
// missing of it, for the summary.
func (from sender) test(t *testing.T, s *stage, cases []sending, version *string) {
	w, err := startWorker(t, from.command)
	if err != nil {
		*version = "missing"
		if os.Getenv(requireEnv) == "1" {
			t.Fatalf("the sender is required (%s=1) and missing: %v", requireEnv, err)
		}
		t.Skipf("the sender is missing: %v", err)
	}
	*version = w.version
	for _, terminal := range terminals {
		t.Run(terminal, func(t *testing.T) {
			for _, c := range cases {
				if slices.Contains(from.cannot, c.name) {
					continue
				}
				if !w.running() { // a case ended it
					if w, err = startWorker(t, from.command); err != nil {
						t.Fatal(err)
					}
				}
				t.Run(c.name, func(t *testing.T) { from.make(t, s, w, terminal, c) })
			}
		})
	}
}

// make has the sender make a case, and checks what came of it.
func (from sender) make(t *testing.T, s *stage, w *worker, terminal string, c sending) {
	var requests []request
	var targets []string
	for i, e := range c.exchanges {
		r, target := s.request(e, terminal, identify(from.name, terminal, c.name, i))
		requests, targets = append(requests, r), append(targets, target)
	}
	answers, err := w.send(requests)
	if err != nil {
		t.Fatal(err)
	}
	var connections []string // of the accepted requests in a row
	for i, e := range c.exchanges {
		got := s.upstream.of(requests[i].Headers[caseHeader])
		a := answers[i]
		switch {
		case e.code == "":
			from.checkAccepted(t, i, e, targets[i], a, got)
			if len(got) == 0 {
				continue
			}
			if from := s.deciding.connectionOf(t, got[0].header.Get("X-Request-Id")); !slices.Contains(connections, from) {
				connections = append(connections, from)
			}
			if len(connections) > max(1, from.connections) {
				t.Errorf("request %d: on another connection than the accepted one before", i)
			}
		case slices.ContainsFunc(got, arrival.whole):
			t.Errorf("request %d: refused, and yet it arrived; the sender reads %+v", i, a)
		case slices.Contains(from.repeats, c.name):
			if a.Status != 0 || a.Error != "asks again" {
				t.Errorf("request %d: %+v, and not kept from its user", i, a)
			}
		default:
			connections = nil // it may be closed
			checkRefused(t, i, e, a, slices.Contains(from.bodiless, c.name))
		}
	}
}

// checkAccepted checks that a request arrived once and as it was meant, and that the
// sender reads the upstream's answer.
func (from sender) checkAccepted(t *testing.T, i int, e exchange, target string, a answer, all []arrival) {
	t.Helper()
	if len(all) != 1 {
		t.Errorf("request %d: arrived %d times; the sender reads %+v", i, len(all), a)
		return
	}
	got := all[0]
	if a.Status != e.status || a.Body != fmt.Sprintf(`{"received":%q}`, digest(got.body)) {
		t.Errorf("request %d: the sender reads %+v", i, a)
	}
	if got.err != nil || got.method != http.MethodPost || got.target != target {
		t.Errorf("request %d: %s %s, want POST %s; %v", i, got.method, got.target, target, got.err)
	}
	if e.how == "form" {
		pairs, err := url.ParseQuery(got.body)
		if kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";"); err != nil || kind != "application/x-www-form-urlencoded" {
			t.Errorf("request %d: Content-Type %q, %v", i, got.header["Content-Type"], err)
		}
		if len(pairs) != len(form) {
			t.Errorf("request %d: %q", i, got.body)
		}
		for name, value := range form {
			if pairs.Get(name) != value {
				t.Errorf("request %d: %s is %q, want %q", i, name, pairs.Get(name), value)
			}
		}
		return
	}
	if digest(got.body) != digest(e.content.text) {
		t.Errorf("request %d: %d bytes that are not the %d sent", i, len(got.body), len(e.content.text))
	}
	if e.how == "empty" {
		return // some senders name a type for a body that is empty
	}
	types := []string{e.content.kind}
	if from.adds != "" {
		types = []string{e.content.kind, from.adds}
	}
	if got := got.header["Content-Type"]; !slices.Equal(got, types) {
		t.Errorf("request %d: Content-Type: %q, want %q", i, got, types)
	}
	if got := got.header.Get("Content-Encoding"); got != e.content.encoding {
		t.Errorf("request %d: Content-Encoding: %q, want %q", i, got, e.content.encoding)
	}
}

// checkRefused checks that the sender's user reads our status and code.
func checkRefused(t *testing.T, i int, e exchange, a answer, bodiless bool) {
	t.Helper()
	var problem struct{ Code string }
	if !bodiless {
		if err := json.Unmarshal([]byte(a.Body), &problem); err != nil && a.Status == e.status {
			t.Errorf("request %d: %v", i, err)
		}
	} else if a.Body == "" {
		problem.Code = e.code
	}
	if a.Status != e.status || problem.Code != e.code {
		t.Errorf("request %d: the sender reads %+v, want %d %s", i, a, e.status, e.code)
	}
}

// checkOnce checks at the end that nothing was delivered a second time later.
func (s *stage) checkOnce(t *testing.T) {
	s.upstream.mu.Lock()
	defer s.upstream.mu.Unlock()
	for name, all := range s.upstream.arrivals {
		if slices.IndexFunc(all, arrival.whole) >= 0 && len(all) > 1 {
			t.Errorf("%s: arrived %d times", name, len(all))
		}
	}
}
