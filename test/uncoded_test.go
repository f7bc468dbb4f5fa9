package test

import (
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestAnswersWithoutACode: what the server answers before any guard is as docs/errors.md has
// it, with the express lane and without it; nothing is forwarded, and no line of the log tells of
// it. A client that shuts its writing side gets its answer all the same.
func TestAnswersWithoutACode(t *testing.T) {
	t.Parallel()
	for _, lane := range []string{"on", "off"} {
		u := newUpstream(t)
		g := start(t, config{store: embedded(t), upstream: u.addr, app: []string{"express " + lane}})
		token := "X-Callback-Token: " + g.operator(t, tenantA, "admin").mintCallback("").token
		post := "POST " + callbackPath + " HTTP/1.1"
		var seen []int
		for _, test := range []struct {
			status int
			lines  []string
		}{
			{200, []string{"OPTIONS * HTTP/1.1", "Host: x"}},
			{200, []string{"OPTIONS * HTTP/1.0"}},
			{400, []string{post, token}},
			{400, []string{post, "Host: x", "Host: y", token}},
			{400, []string{post, "Host: x", token, "no header"}},
			{400, []string{post, "Host: x", token, "X-Before : colon"}},
			{400, []string{post, "Host: x", token, "Content-Length: 2", "Content-Length: 3"}},
			{400, []string{"POST " + callbackPath[1:] + " HTTP/1.1", "Host: x", token}},
			{400, []string{"POST /%zz HTTP/1.1", "Host: x", token}},
			{400, []string{"P(ST " + callbackPath + " HTTP/1.1", "Host: x", token}},
			{400, []string{"POST " + callbackPath, token}},
			{417, []string{post, "Host: x", token, "Expect: something", "Content-Length: 2"}},
			{431, []string{post, "Host: x", token, "X-Large: " + strings.Repeat("x", 24<<10)}},
			{501, []string{post, "Host: x", token, "Transfer-Encoding: gzip, chunked"}},
			{501, []string{post, "Host: x", token, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"}},
			{505, []string{"POST " + callbackPath + " HTTP/2.0", "Host: x", token}},
			{505, []string{"POST " + callbackPath + " HTTP/0.9", "Host: x", token}},
		} {
			conn := g.dial(t)
			conn.write(test.lines...)
			a := conn.answer(http.MethodPost)
			conn.Close()
			if a.status != test.status || strings.Contains(string(a.body), "HKG-") {
				t.Errorf("express %s, %.60q: %d %q, want %d", lane, test.lines, a.status, a.body, test.status)
			}
			u.wantNothing(t)
			seen = append(seen, test.status)
		}

		wantStatus(t, g.get(t, g.Vendors+"/nowhere"), http.StatusNotFound)
		hookgatetest.Eventually(t, "a line about what a guard saw", func() bool { return strings.Contains(g.Output.String(), `"status":404`) })
		for line := range strings.Lines(g.Output.String()) {
			if strings.Contains(line, `"status":`) && !strings.Contains(line, `"status":404`) && !strings.Contains(line, `"status":201`) { // the token
				t.Errorf("express %s: in the log: %s", lane, line)
			}
		}

		// A client that shuts its writing side before the answer, in chunks, which the lane takes none of, and not.
		answered := make(chan struct{})
		u.answerWith(func(http.ResponseWriter, *http.Request) { <-answered })
		var shut []*connection
		for _, body := range [][]string{{"Transfer-Encoding: chunked", "", "0"}, {"Content-Length: 0"}} {
			conn := g.dial(t)
			conn.write(append([]string{post, "Host: x", token}, body...)...)
			shut = append(shut, conn)
			hookgatetest.Eventually(t, "the upstream has the request", func() bool { return len(u.peek()) == len(shut) })
			conn.Conn.(*net.TCPConn).CloseWrite()
		}
		close(answered)
		for _, conn := range shut {
			wantStatus(t, conn.answer(http.MethodPost), http.StatusOK)
		}

		if documented := statusesWithoutACode(t); !slices.Equal(slices.Compact(slices.Sorted(slices.Values(seen))), documented) {
			t.Errorf("seen %v, documented %v", seen, documented)
		}
	}
}

// statusesWithoutACode returns what the table of docs/errors.md has.
func statusesWithoutACode(t *testing.T) (statuses []int) {
	t.Helper()
	page, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n### Without a code\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range regexp.MustCompile(`(?m)^\| (\d{3}) \|`).FindAllStringSubmatch(section, -1) {
		status, _ := strconv.Atoi(row[1])
		statuses = append(statuses, status)
	}
	return statuses
}
