package test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// anonymous returns the memory of the process that is no file's, in KiB. Pages of its
// binary do not count: the kernel takes them back when it wants them.
func (g *gate) anonymous() int {
	g.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.Process.PID()))
	if err != nil {
		g.t.Fatal(err)
	}
	found := regexp.MustCompile(`RssAnon:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		g.t.Fatalf("no RssAnon in %s", status)
	}
	anonymous, err := strconv.Atoi(string(found[1]))
	if err != nil {
		g.t.Fatal(err)
	}
	return anonymous
}

func needProc(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc")
	}
}

// TestIdleMemory: a process that waits takes no more memory of the machine than a sidecar
// may.
func TestIdleMemory(t *testing.T) {
	t.Parallel()
	needProc(t)
	const limit = 30 << 10 // KiB
	g := start(t, config{store: embedded(t)})
	anonymous := 0
	defer func() { t.Logf("anonymous: %d KiB", anonymous) }()
	hookgatetest.Eventually(t, fmt.Sprintf("less than %d KiB is anonymous", limit), func() bool {
		anonymous = g.anonymous()
		return anonymous < limit
	})
}

// TestMemoryAfterRevocations: a process whose credentials are imported and revoked, all
// of them, goes back to what it took under vendors' requests before.
func TestMemoryAfterRevocations(t *testing.T) {
	needProc(t)
	if os.Getenv("HOOKGATE_FAULTS") != "long" {
		t.Skip("HOOKGATE_FAULTS is not long: this takes minutes")
	}
	const (
		credentials, perImport = 57_000, 1000
		warming                = 50_000            // requests, each of which leaves some 10 kB of garbage
		patience               = 100 * time.Second // the process tidies up within a minute
		growth                 = 1.2
	)
	matcher := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(matcher.Close)
	quiet, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { quiet.Close() })
	g := start(t, config{
		store: onRedis(t), upstream: strings.TrimPrefix(matcher.URL, "http://"), stderr: quiet,
		app: []string{"quota off"}, admin: []string{"rate_limit off"},
	})
	admin := g.operator(t, tenantA, "admin")
	jira := admin.mintCallback("JIRA")
	vendor := vendorClient{request: fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nX-Callback-Token: %s\r\nContent-Length: 2\r\n\r\n{}", callbackPath, jira.token), keepAlive: true}
	l := startLoad(t, strings.TrimPrefix(g.Vendors, "http://"), vendor, vendor, vendor, vendor)
	hookgatetest.Eventually(t, "vendors have sent", func() bool { return l.answered.Load() >= warming })
	l.wantNoneFailed(t)
	began := g.anonymous()

	var ids []string
	for first := 0; first < credentials; first += perImport {
		lines := make([]string, perImport)
		for i := range lines {
			digest := sha256.Sum256([]byte(strconv.Itoa(first + i)))
			lines[i] = fmt.Sprintf(`{"kind":"callback","digest":"%x","label":"of vendor %d"}`, digest, first+i)
		}
		var made struct{ Results []struct{ ID string } }
		a := admin.do(http.MethodPost, "/v1/credentials/import", `{"credentials":[`+strings.Join(lines, ",")+`]}`)
		wantStatus(t, a, http.StatusOK)
		if err := json.Unmarshal(a.body, &made); err != nil {
			t.Fatal(err)
		}
		for _, result := range made.Results {
			ids = append(ids, result.ID)
		}
	}
	full := g.anonymous()
	var next atomic.Int64
	var operators sync.WaitGroup
	for range 4 {
		operators.Go(func() {
			for i := next.Add(1); i <= int64(len(ids)); i = next.Add(1) {
				if a := admin.do(http.MethodDelete, "/v1/credentials/"+ids[i-1], ""); a.status != http.StatusNoContent {
					t.Errorf("revoked with %d: %s", a.status, a.body)
				}
			}
		})
	}
	operators.Wait()
	revoked, left := g.anonymous(), 0
	done := time.Now()
	err = g.Process.Await(patience, func() bool {
		left = g.anonymous()
		return float64(left) <= growth*float64(began)
	})
	t.Logf("%d KiB at the beginning, %d with %d more credentials, %d after their revocation, %d after %v",
		began, full, len(ids), revoked, left, time.Since(done).Round(time.Second))
	if err != nil {
		t.Errorf("more than %.1f times the beginning: %v", growth, err)
	}
}
