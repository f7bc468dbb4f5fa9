package gate

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestAcceptReadable(t *testing.T) {
	for _, test := range []struct{ lines, want []string }{
		{nil, nil},
		{[]string{""}, []string{""}},
		{[]string{"gzip"}, []string{"gzip"}},
		{[]string{" gzip ;q=0.5,identity"}, []string{" gzip ;q=0.5,identity"}},
		{[]string{"gzip", "identity;q=0"}, []string{"gzip", "identity;q=0"}},
		{[]string{"gzip, deflate, br, zstd"}, []string{"gzip"}},
		{[]string{"br;q=1.0", "GZIP;q=0.8, *;q=0.1"}, []string{"GZIP;q=0.8"}},
		{[]string{"br"}, []string{"identity"}},
		{[]string{"*"}, []string{"identity"}},
	} {
		header := http.Header{}
		if test.lines != nil {
			header["Accept-Encoding"] = slices.Clone(test.lines)
		}
		if acceptReadable(header); !slices.Equal(header["Accept-Encoding"], test.want) {
			t.Errorf("%q became %q, want %q", test.lines, header["Accept-Encoding"], test.want)
		}
	}
}

func compressed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestCompressedAnswers: they are read like others, and pass like others.
func TestCompressedAnswers(t *testing.T) {
	running := compressed(t, `{"code":"MTCH-0018"}`)
	for _, test := range []struct {
		name, encoding, body string
		want                 int
	}{
		{"in progress", "gzip", running, http.StatusServiceUnavailable},
		{"in progress, in capitals", "GZIP", running, http.StatusServiceUnavailable},
		{"another conflict", "gzip", compressed(t, `{"code":"MTCH-0503"}`), http.StatusConflict},
		{"not compressed at all", "gzip", `{"code":"MTCH-0018"}`, http.StatusConflict},
		{"cut off", "gzip", running[:len(running)-9], http.StatusConflict},
		{"much in little", "gzip", compressed(t, `{"code":"MTCH-0018","x":"`+strings.Repeat("x", 1<<20)+`"}`), http.StatusConflict},
		{"another coding", "br", running, http.StatusConflict},
		{"twice", "gzip, gzip", compressed(t, running), http.StatusConflict},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, _ := testGate(t)
			response := before(t, g, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header["Accept-Encoding"]; !slices.Equal(got, []string{"gzip"}) {
					t.Errorf("Accept-Encoding: %q", got)
				}
				w.Header().Set("Content-Type", jsonType)
				w.Header().Set("Content-Encoding", test.encoding)
				w.WriteHeader(http.StatusConflict)
				io.WriteString(w, test.body)
			}, "Accept-Encoding: br, gzip")
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != test.want {
				t.Fatalf("%d: %q, %v", response.StatusCode, body, err)
			}
			if test.want == http.StatusConflict && (string(body) != test.body || response.Header.Get("Content-Encoding") != test.encoding) {
				t.Errorf("it does not pass as it is: %v %q", response.Header, body)
			}
			if test.want != http.StatusConflict && response.Header.Get("Content-Encoding") != "" {
				t.Errorf("%v: %s", response.Header, body)
			}
		})
	}
}

// TestSilentAnswer: an answer that begins and does not end is not held until it does.
func TestSilentAnswer(t *testing.T) {
	for name, begins := range map[string]string{"half a body": `{"code":`, "no body": ""} {
		t.Run(name, func(t *testing.T) {
			g, _ := testGate(t)
			read := make(chan struct{})
			response := before(t, g, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", jsonType)
				w.WriteHeader(http.StatusConflict)
				io.WriteString(w, begins)
				http.NewResponseController(w).Flush()
				<-read
				io.WriteString(w, `"MTCH-0018"}`)
			})
			if response.StatusCode != http.StatusConflict {
				t.Errorf("status %d", response.StatusCode)
			}
			first := make([]byte, len(begins))
			if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != begins {
				t.Errorf("%q, %v", first, err)
			}
			close(read)
			if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != `"MTCH-0018"}` {
				t.Errorf("%q, %v", rest, err)
			}
		})
	}
}
