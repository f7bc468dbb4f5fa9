package footprint

import (
	"testing"
)

func TestGOGC(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 1 << 20: 400, 10 << 20: 400, 16 << 20: 250, 32 << 20: 125, 40 << 20: 100, 1 << 30: 100} {
		if got := gogc(live); got != want {
			t.Errorf("%d bytes: %d, want %d", live, got, want)
		}
	}
}
