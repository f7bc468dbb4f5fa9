package vendors

import (
	"testing"
	"time"
)

// TestLibraries: a library takes what it signed itself, and nothing else. What is compared
// with it is called as the library is meant to be.
func TestLibraries(t *testing.T) {
	all := libraries(t)
	eachTrial(t, func(t *testing.T, tr trial, at time.Time) {
		l := all[tr.library]
		if l.sign == nil || l.verify == nil {
			return // what it does is compared with ours alone
		}
		signed, err := l.sign(tr.call(tr.request(), tr.secret.signs, at))
		if err != nil {
			t.Fatal(err)
		}
		tr.confirm(t, l, signed, at)
	})
}

// confirm checks that the library takes a request that is signed, and that it looks at it.
func (tr trial) confirm(t *testing.T, l library, signed message, at time.Time) {
	t.Helper()
	if err := l.verify(tr.call(signed, tr.secret.verifies, at)); err != nil {
		t.Errorf("the library does not take it: %v", err)
	}
	if l.verify(tr.call(signed, tr.other.verifies, at)) == nil {
		t.Error("the library takes another secret")
	}
	for _, c := range tr.changes {
		changed := c.of(t, signed)
		if l.verify(tr.call(changed, tr.secret.verifies, at)) == nil {
			t.Errorf("the library takes a request of which %s is changed", c.name)
		}
	}
	for _, c := range tr.leaves {
		changed := c.of(t, signed)
		if err := l.verify(tr.call(changed, tr.secret.verifies, at)); err != nil {
			t.Errorf("the library minds that %s is changed: %v", c.name, err)
		}
	}
}

// call is what the library is asked.
func (tr trial) call(m message, secret string, at time.Time) call {
	return call{message: m, scheme: tr.preset, secret: secret, id: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", at: at, now: at}
}
