package gate

import (
	"errors"
	"io"
	"sync/atomic"
)

// Room bounds the bodies that are held in memory, all together. Who sends a body slowly
// takes its room for as long: without a bound a few hundred such clients would take all
// memory there is.
type Room struct{ limit, taken atomic.Int64 }

// NewRoom returns room for a number of bytes.
func NewRoom(limit int64) *Room {
	r := new(Room)
	r.Resize(limit)
	return r
}

// Resize changes how many bytes there is room for. What is held stays.
func (r *Room) Resize(limit int64) { r.limit.Store(limit) }

func (r *Room) take(n int64) bool {
	if r.taken.Add(n) > r.limit.Load() {
		r.taken.Add(-n)
		return false
	}
	return true
}

func (r *Room) give(n int64) { r.taken.Add(-n) }

// errNoRoom: the bodies that are held leave no room for another one.
var errNoRoom = errors.New("there is no room for the body")

// TakeRoom takes room for so many bytes of a body of the request, until GiveRoom.
func (g *Gate) TakeRoom(b *Begun, n int64) error {
	if g.Room == nil {
		return nil
	}
	if !g.Room.take(n) {
		return errNoRoom
	}
	b.room += n
	return nil
}

// GiveRoom gives back what the request has taken.
func (g *Gate) GiveRoom(b *Begun) {
	if b.room > 0 {
		g.Room.give(b.room)
		b.room = 0
	}
}

// roomStep is how much room a body takes at a time whose length is not known.
const roomStep = 16 << 10

// roomReader takes room as a body comes.
type roomReader struct {
	io.Reader
	exchange *exchange
	left     int64 // of what was taken
}

func (r *roomReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		if err := r.exchange.TakeRoom(&r.exchange.Begun, roomStep); err != nil {
			return 0, err
		}
		r.left = roomStep
	}
	n, err := r.Reader.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	return n, err
}
