package redistest

import (
	"testing"
	"time"
)

// Patience bounds every wait for a condition. It says nothing about how fast things are;
// test machines are busy.
const Patience = 30 * time.Second

// Eventually polls until a condition holds.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", Patience, what)
		}
	}
}
