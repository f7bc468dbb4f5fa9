package footprint

import (
	"testing"
)

func TestPace(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 1 << 20: 400, 16 << 20: 400, 32 << 20: 200, 64 << 20: 100, 1 << 30: 100} {
		if got := new(pacer).next(live); got != want {
			t.Errorf("%d bytes: %d, want %d", live, got, want)
		}
	}
}

// TestBurst: what is live for a moment gets no room of its own; what stays does.
func TestBurst(t *testing.T) {
	const mib = 1 << 20
	var p pacer
	p.next(4 * mib)
	for range 10 {
		if got := p.next(25 * mib); got > 150 {
			t.Fatalf("%d %% of a burst", got)
		}
	}
	if got := p.next(4 * mib); got != 400 {
		t.Errorf("%d %% behind it", got)
	}
	got := 0
	for range 3 * patience {
		got = p.next(25 * mib)
	}
	if got != 250 {
		t.Errorf("%d %% of what stays", got)
	}
}
