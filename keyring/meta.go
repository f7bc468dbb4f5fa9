package keyring

import (
	"time"
)

// Meta is the head of the data set as a probe saw it.
type Meta struct {
	Epoch string // "" where Redis holds no data set
	Seq   uint64
	Head  string
	// Declared is when an operator declared the epoch to be a new data set, by the
	// server's clock; zero where it began by itself with a first mutation.
	Declared time.Time
}
