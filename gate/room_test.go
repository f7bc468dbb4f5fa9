package gate

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/guard"
)

// TestRoom: what is held takes room, be its length declared or not, and gives it back; what
// has no room is not read.
func TestRoom(t *testing.T) {
	room := NewRoom(100 << 10)
	hold := func(size int, declared bool) (*exchange, error) {
		r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(strings.NewReader(strings.Repeat("x", size))))
		if r.ContentLength = -1; declared {
			r.ContentLength = int64(size)
		}
		x := &exchange{Gate: &Gate{Policy: guard.Policy{MaxBody: maxBody}, Room: room}, w: httptest.NewRecorder(), r: r}
		held, err := x.Hold()
		if err == nil && !bytes.Equal(held, bytes.Repeat([]byte("x"), size)) {
			t.Errorf("%d bytes are held of %d", len(held), size)
		}
		return x, err
	}
	for _, declared := range []bool{true, false} {
		first, err := hold(60_000, declared)
		if err != nil || room.taken.Load() < 60_000 {
			t.Fatalf("declared %v: %v, %d taken", declared, err, room.taken.Load())
		}
		second, err := hold(60_000, declared)
		if !errors.Is(err, errNoRoom) {
			t.Errorf("declared %v: %v", declared, err)
		}
		if _, err := hold(0, declared); err != nil && declared {
			t.Errorf("an empty one: %v", err)
		}
		second.GiveRoom(&second.Begun)
		first.GiveRoom(&first.Begun)
		if room.taken.Load() != 0 {
			t.Errorf("declared %v: %d are still taken", declared, room.taken.Load())
		}
		room.Resize(59_000)
		if x, err := hold(60_000, declared); !errors.Is(err, errNoRoom) {
			t.Errorf("declared %v, less room: %v", declared, err)
		} else {
			x.GiveRoom(&x.Begun)
		}
		room.Resize(100 << 10)
	}
}
