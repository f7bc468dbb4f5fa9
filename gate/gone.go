package gate

import (
	"context"
	"time"
)

// goneTime is how long the upstream has for its answer to a client that is gone: longer than
// vendors wait for one.
const goneTime = 10 * time.Second

// outlive lets the request go on for goneTime when its client is gone. Its event may be with
// the upstream by then, and what that says of it counts: given up, it would be delivered
// again when the vendor repeats it. A client that has only shut its writing side, which
// net/http's server takes for gone, still reads the answer.
func (x *exchange) outlive() (end func()) {
	client := x.r.Context()
	if client.Done() == nil {
		return func() {} // nobody tells
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(client))
	stop := context.AfterFunc(client, func() {
		timer := time.NewTimer(goneTime)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-ctx.Done():
		}
	})
	x.r = x.r.WithContext(ctx)
	return func() {
		stop()
		cancel()
	}
}
