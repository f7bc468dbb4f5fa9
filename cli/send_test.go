package cli_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/cli"
	"github.com/hookgate/hookgate/proof"
)

// receiver answers 200 to what a scheme proves, and else with the status that it refuses with.
func receiver(t *testing.T, scheme proof.Scheme, secret string) (address string) {
	t.Helper()
	program, err := proof.Compile(scheme)
	if err != nil {
		t.Fatal(err)
	}
	v, err := program.With(proof.Secret{Value: secret})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		verdict := proof.Any{v}.Verify(&proof.Message{
			Method: r.Method, PublicURL: "http://" + r.Host, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery,
			Header: r.Header, Body: body, Arrived: time.Now(),
		})
		if !verdict.Result.Proven() {
			w.WriteHeader(verdict.Refuse)
		}
		io.WriteString(w, string(verdict.Result))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func run(t *testing.T, args ...string) (stdout string, code int) {
	t.Helper()
	cmd := new(cobra.Command)
	cli.Send(cmd)
	var out, said bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&said)
	cmd.SetArgs(args)
	cmd.SilenceUsage = true
	err := cmd.ExecuteContext(t.Context())
	var ended *cli.ExitError
	if errors.As(err, &ended) {
		code = ended.Code
	} else if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(said.String(), "canary") {
		t.Errorf("it says %s", &said)
	}
	return out.String(), code
}

// TestSendSignsThePublicURL: what stands before Hookgate may have another host and path.
func TestSendSignsThePublicURL(t *testing.T) {
	t.Setenv("SECRET", "canary")
	square, _ := proof.Named("square")
	program, err := proof.Compile(square.Scheme)
	if err != nil {
		t.Fatal(err)
	}
	v, err := program.With(proof.Secret{Value: "canary"})
	if err != nil {
		t.Fatal(err)
	}
	for public, want := range map[string]string{"https://x.example": "/hooks/canary?a=1", "https://x.example/b/c?d=2": "/b/c?d=2"} {
		path, query, _ := strings.Cut(want, "?")
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			m := proof.Message{Method: r.Method, PublicURL: "https://x.example", Path: path, RawQuery: query, Header: r.Header, Body: body, Arrived: time.Now()}
			if result := (proof.Any{v}).Verify(&m).Result; result != proof.OK || r.URL.Path != "/hooks/canary" || r.URL.RawQuery != query {
				t.Errorf("%s: %s", public, result)
			}
		}))
		if _, code := run(t, "--as", "square", "--secret-env", "SECRET", "--url", server.URL+"/hooks/canary?a=1", "--public-url", public); code != 0 {
			t.Errorf("%s: exit code %d", public, code)
		}
		server.Close()
	}
}

func TestSend(t *testing.T) {
	t.Setenv("SECRET", "canary")
	t.Setenv("WRONG", "canary-2")
	body := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(body, []byte(`{"id":"evt_1","type":"é"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	stripe, _ := proof.Named("stripe")
	square, _ := proof.Named("square")
	for name, test := range map[string]struct {
		scheme proof.Scheme
		args   []string
		want   string
		code   int
	}{
		"right":                   {stripe.Scheme, []string{"--as", "stripe", "--secret-env", "SECRET"}, "200 OK\nok\n", 0},
		"a body of its own":       {stripe.Scheme, []string{"--as", "stripe", "--secret-env", "SECRET", "--body", body}, "200 OK\nok\n", 0},
		"another secret":          {stripe.Scheme, []string{"--as", "stripe", "--secret-env", "WRONG"}, "403 Forbidden\nmismatch\n", 1},
		"too old":                 {stripe.Scheme, []string{"--as", "stripe", "--secret-env", "SECRET", "--timestamp", "1700000000"}, "403 Forbidden\ntimestamp_old\n", 1},
		"with the URL":            {square.Scheme, []string{"--as", "square", "--secret-env", "SECRET"}, "200 OK\nok\n", 0},
		"with another public URL": {square.Scheme, []string{"--as", "square", "--secret-env", "SECRET", "--public-url", "https://x.example"}, "403 Forbidden\nmismatch\n", 1},
		"with a whole public URL": {square.Scheme, []string{"--as", "square", "--secret-env", "SECRET", "--public-url", "https://x.example/a/b"}, "403 Forbidden\nmismatch\n", 1},
		"as a JSON object":        {proof.Scheme{Signature: proof.Signature{Place: proof.Place{Query: "s"}}}, []string{"--as", `{"signature":{"query":"s"}}`, "--secret-env", "SECRET"}, "200 OK\nok\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			address := receiver(t, test.scheme, "canary")
			if got, code := run(t, append(test.args, "--url", address+"/hooks/canary%20token?a=1")...); got != test.want || code != test.code {
				t.Errorf("%q and %d, want %q and %d", got, code, test.want, test.code)
			}
		})
	}
}
