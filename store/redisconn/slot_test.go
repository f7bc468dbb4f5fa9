package redisconn

import "testing"

func TestSlot(t *testing.T) {
	// The first is the check value of the Cluster specification.
	for key, want := range map[string]int{"123456789": 0x31c3, "{123456789}:m": 0x31c3, "a{123456789}{b}": 0x31c3} {
		if got := Slot(key); got != want {
			t.Errorf("%s: %d, want %d", key, got, want)
		}
	}
}

func TestMoves(t *testing.T) {
	const other = "8d2f 10.0.0.2:6379@16379 master - 0 1700000000000 2 connected 5461-10922 [7-<-07c3]\n"
	const myself = "07c3 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-5460 "
	for name, test := range map[string]struct {
		nodes string
		want  bool
	}{
		"stays":                 {other + myself + "\n", false},
		"goes":                  {other + myself + "[7->-8d2f]\n", true},
		"comes":                 {other + myself + "[7-<-8d2f]\n", true},
		"another one goes":      {other + myself + "[77->-8d2f]\n", false},
		"second of two":         {myself + "[77->-8d2f] [7->-8d2f]\n" + other, true},
		"an answer that is odd": {"?\n", false},
	} {
		if got := Moves(test.nodes, 7); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
