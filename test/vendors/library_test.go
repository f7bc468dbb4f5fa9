package vendors

import (
	"net/http"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

func TestMain(m *testing.M) { hookgatetest.Main(m) }

// message is a request as a vendor sends it.
type message struct {
	method, url string
	header      http.Header
	body        string
}

// clone returns a message that can be changed without changing m.
func (m message) clone() message {
	m.header = m.header.Clone()
	return m
}

// call is what a library is asked to sign or to verify, and with which secret.
type call struct {
	message
	scheme, secret, id string
	at                 time.Time // when it is signed
	now                time.Time // what the clock of a verifier shows
}

// library is what a vendor publishes. One that cannot sign or verify lacks the function.
type library struct {
	name   string
	sign   func(call) (message, error)
	verify func(call) error
}

// libraries returns all, by name. Without those for Node the test is skipped, or fails
// where they are required.
func libraries(t *testing.T) map[string]library {
	t.Helper()
	all := map[string]library{}
	for _, l := range append(goLibraries(), nodeLibraries(t)...) {
		all[l.name] = l
	}
	return all
}
