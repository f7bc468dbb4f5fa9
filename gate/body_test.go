package gate

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestDeclaredBody(t *testing.T) {
	broken := errors.New("stream reset")
	for _, tc := range []struct {
		name     string
		body     io.Reader
		declared int64
		want     string
		err      error
	}{
		{"as declared", strings.NewReader("abc"), 3, "abc", nil},
		{"longer", strings.NewReader("abcd"), 3, "", errLongerThanDeclared},
		{"longer by a second piece", io.MultiReader(strings.NewReader("abc"), strings.NewReader("d")), 3, "", errLongerThanDeclared},
		{"reset behind the last byte", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), 3, "", broken},
		{"shorter", strings.NewReader("ab"), 3, "ab", nil}, // the transport notices
	} {
		for name, reader := range map[string]func(io.Reader) io.Reader{
			"": func(r io.Reader) io.Reader { return r }, ", byte by byte": iotest.OneByteReader, ", with the error": iotest.DataErrReader,
		} {
			if s, ok := tc.body.(io.Seeker); ok {
				s.Seek(0, io.SeekStart)
			} else if name != "" {
				continue
			}
			body := &declaredBody{io.NopCloser(reader(tc.body)), tc.declared}
			got, err := io.ReadAll(body)
			if !errors.Is(err, tc.err) || tc.err == nil && string(got) != tc.want {
				t.Errorf("%s%s: %q, %v", tc.name, name, got, err)
			}
			if tc.err != nil && int64(len(got)) >= tc.declared {
				t.Errorf("%s%s: a whole body was handed out", tc.name, name)
			}
		}
	}
}

// stalling is a body at whose end the goroutine that reads it does not get on.
type stalling struct{ io.ReadCloser }

func (s stalling) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err == io.EOF {
		time.Sleep(2 * settleTime)
	}
	return n, err
}

// TestSettledConnectionsAreAlive: on a connection that is kept, later requests are not
// cancelled before they begin, however slow the machine.
func TestSettledConnectionsAreAlive(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.Context().Err(); err != nil {
			t.Errorf("the request begins with: %v", err)
		}
		io.Copy(io.Discard, r.Body)
		r.Body = stalling{r.Body}
		settle(w, r, r.Body)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	for range 3 {
		response, err := http.Post(server.URL, "", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
}
