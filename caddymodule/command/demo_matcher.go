package command

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookgate/hookgate/caddymodule/handlers"
	"github.com/hookgate/hookgate/guard"
)

// startMatcher starts the demo's stand-in for Matcher on a free port of the
// loopback interface, and returns its address. It accepts every request, and
// prints it with the headers that Hookgate vouches for.
func startMatcher(out io.Writer) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	var printing sync.Mutex
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, handlers.DefaultMaxBody))
			if err != nil {
				return
			}
			printing.Lock()
			printReceived(out, r, body)
			printing.Unlock()
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"status":"accepted"}`)
		})}
	go server.Serve(listener)
	return listener.Addr().String(), nil
}

func printReceived(out io.Writer, r *http.Request, body []byte) {
	fmt.Fprintf(out, "%s %s\n", r.Method, r.RequestURI)
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		if name == guard.HeaderTenant || strings.HasPrefix(name, "X-Hookgate-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(out, "  %s: %s\n", name, r.Header.Get(name))
	}
	fmt.Fprintf(out, "  %d bytes: %q\n\n", len(body), body)
}
