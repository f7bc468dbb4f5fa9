package gate

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hookgate/hookgate/guard"
)

// settled is a claim that says what became of it.
type settled string

func (s *settled) Done(int) { *s += "done" }
func (s *settled) Free()    { *s += "free" }

// beforeAnswer is a client that sends its event again as soon as it has an answer.
type beforeAnswer struct {
	*httptest.ResponseRecorder
	claim *settled
	seen  settled
}

func (b *beforeAnswer) WriteHeader(status int) {
	b.seen = *b.claim
	b.ResponseRecorder.WriteHeader(status)
}

// TestEventIsSettledBeforeTheAnswer: what comes right behind an answer is a duplicate of
// a delivered event, and delivered where the first was not.
func TestEventIsSettledBeforeTheAnswer(t *testing.T) {
	for name, tc := range map[string]struct {
		status int // 0: the upstream does not answer
		want   settled
	}{"taken": {201, "done"}, "refused": {422, "free"}, "failed": {502, "free"}, "no answer": {0, "free"}} {
		g, _ := testGate(t)
		w := &beforeAnswer{ResponseRecorder: httptest.NewRecorder(), claim: new(settled)}
		begun := Begun{Decision: guard.Decision{Outcome: guard.Allowed}, Claim: w.claim}
		err := g.ServeForwarded(w, httptest.NewRequest(http.MethodPost, callbackPath, nil), begun, &guard.Forwarding{}, handler(func(w http.ResponseWriter, _ *http.Request) error {
			if tc.status == 0 {
				return errors.New("no answer")
			}
			w.WriteHeader(tc.status)
			return nil
		}))
		if err != nil || w.seen != tc.want || *w.claim != tc.want {
			t.Errorf("%s: %q before the answer, %q after it, %v", name, w.seen, *w.claim, err)
		}
	}
}
