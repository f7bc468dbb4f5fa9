package vendors

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestSend: a library takes what `hookgate send --as` sends.
func TestSend(t *testing.T) {
	all := libraries(t)
	arrived := make(chan message, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		arrived <- message{method: r.Method, url: publicURL + r.RequestURI, header: r.Header, body: string(body)}
	}))
	defer server.Close()
	eachTrial(t, func(t *testing.T, tr trial, at time.Time) {
		l := all[tr.library]
		if l.verify == nil {
			t.Skip("the library signs alone; TestPresets verifies that")
		}
		tr.send(t, server.URL, at)
		sent := <-arrived
		for from, to := range tr.moves {
			sent.header[to] = sent.header[from]
			delete(sent.header, from)
		}
		if err := l.verify(tr.call(sent, tr.secret.verifies, at)); err != nil {
			t.Errorf("the library does not take it: %v", err)
		}
	})
}

// send has the binary send the request of a trial to a server.
func (tr trial) send(t *testing.T, server string, at time.Time) {
	t.Helper()
	m := tr.request()
	dir := t.TempDir()
	body := filepath.Join(dir, "body")
	if err := os.WriteFile(body, []byte(m.body), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"send", "--as", tr.preset, "--secret-env", "VENDOR_SECRET", "--url", strings.Replace(m.url, publicURL, server, 1),
		"--public-url", publicURL, "--body", body, "--id", "msg_1", "--timestamp", strconv.FormatInt(at.Unix(), 10),
	}
	for name, values := range m.header {
		args = append(args, "--header", name+": "+values[0])
	}
	cmd := hookgatetest.Command(dir, args...)
	cmd.Env = append(cmd.Env, "VENDOR_SECRET="+tr.secret.signs)
	stdout, stderr, code := hookgatetest.Run(t, cmd)
	if code != 0 || !strings.HasPrefix(stdout, "200") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
}
