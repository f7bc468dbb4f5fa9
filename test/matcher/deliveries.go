package matcher

import (
	"slices"
	"sync"
)

// Delivery is what Matcher accepted.
type Delivery struct {
	Tenant string
	// Subject is who the JWT says posted it; 2.x only.
	Subject string
	// Exception is that of a callback, Provider and Connection are of a webhook.
	Exception            string
	Provider, Connection string
	IdempotencyKey       string
	Body                 string
}

// deliveries records what was accepted, and how often anything was refused.
type deliveries struct {
	mu       sync.Mutex
	accepted []Delivery
	refused  []int
}

func (d *deliveries) accept(delivery Delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.accepted = append(d.accepted, delivery)
}

func (d *deliveries) refuse(status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused = append(d.refused, status)
}

// Take returns what was accepted since the last call, and the statuses of what was
// refused.
func (d *deliveries) Take() (accepted []Delivery, refused []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	accepted, refused = slices.Clone(d.accepted), slices.Clone(d.refused)
	d.accepted, d.refused = nil, nil
	return accepted, refused
}
