package embedded

import (
	"errors"
	"math"
	"testing"
)

func TestRoomOnAFileSystem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		on      space
		reserve int64
		room    bool
	}{
		"no reserve yet":               {space{free: reserveSize + changeSize}, 0, true},
		"less than that":               {space{free: reserveSize + changeSize - 1}, 0, false},
		"with the reserve":             {space{free: changeSize}, reserveSize, true},
		"with a longer one":            {space{free: changeSize}, 2 * reserveSize, true},
		"a change does not fit":        {space{free: changeSize - 1}, reserveSize, false},
		"half the reserve":             {space{free: reserveSize/2 + changeSize}, reserveSize / 2, true},
		"room for less than its other": {space{free: reserveSize/2 + changeSize - 1}, reserveSize / 2, false},
		"full":                         {newSpace(0, 4096, false), reserveSize, false},
		"read-only":                    {newSpace(1<<40, 4096, true), reserveSize, false},
		"more than can be counted":     {newSpace(math.MaxUint64, 4096, false), 0, true},
	} {
		if err := c.on.holds(c.reserve); (err == nil) != c.room || err != nil && !errors.Is(err, ErrNoRoom) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
