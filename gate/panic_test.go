package gate

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential/credentialtest"
)

// TestPanicLetsNothingThrough: a bug of ours is a 500, at whatever point of the
// decision, and what it said of the request is not logged.
func TestPanicLetsNothingThrough(t *testing.T) {
	for at := 1; at <= 3; at++ { // before the decision, and behind it
		g, logs := testGate(t)
		calls := 0
		g.Now = func() time.Time {
			if calls++; calls == at {
				panic("about " + credentialtest.Canary)
			}
			return time.Now()
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, callbackPath, strings.NewReader("{}"))
		r.Header.Set("X-Callback-Token", callbackToken)
		r.Header.Set("X-Other", credentialtest.Canary)
		err := g.Serve(w, r, handler(func(http.ResponseWriter, *http.Request) error {
			t.Error("the request was forwarded")
			return nil
		}))
		if err != nil || w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), `"code":"HKG-1500"`) {
			t.Errorf("panic %d: %d %s, %v", at, w.Code, w.Body, err)
		}
		for _, entry := range logs.All() {
			for _, field := range entry.Context {
				if strings.Contains(entry.Message+field.String, credentialtest.Canary) {
					t.Errorf("panic %d: logged: %s %s", at, entry.Message, field.String)
				}
			}
		}
		if logs.FilterMessage("panic while deciding on a request").Len() != 1 {
			t.Errorf("panic %d: not logged once: %v", at, logs.All())
		}
	}
}
