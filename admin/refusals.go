package admin

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
)

const (
	// refusalEvery and refusalBurst are how many refusals of one operator go into the
	// audit log. It holds a bounded number of entries: who asks in vain all day long must
	// not push out what others have done.
	refusalEvery = time.Minute
	refusalBurst = 10
	// refusalQueue is how many refusals wait for a slow store. What is beyond them is not
	// recorded: an answer never waits for the log.
	refusalQueue = 256
	// refusalGrace is how long closing waits for the last of them to be written.
	refusalGrace = 2 * time.Second
)

// refusalLog puts refusals of verified operators into the audit log, behind the
// answers' back. It has a goroutine only while there is something to write.
type refusalLog struct {
	store *store.Store
	log   *slog.Logger
	thin  *limiter

	mu    sync.Mutex
	queue []refusal
	idle  chan struct{} // closed when the queue is written; nil while nothing is
}

type refusal struct {
	tenant uuid.UUID
	origin store.Origin
	detail string
}

func newRefusalLog(s *store.Store, log *slog.Logger, now keyring.Clock) (*refusalLog, error) {
	thin, err := limiterOf(rate.Every(refusalEvery), refusalBurst, now)
	return &refusalLog{store: s, log: log, thin: thin}, err
}

// note records a refusal, or drops it.
func (l *refusalLog) note(who bearer.Operator, x *exchange, detail string) {
	if l.thin.take(who) > 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) >= refusalQueue {
		l.log.Warn("a refusal of an operator is missing in the audit log: the store is too slow", slog.String("request_id", x.id.String()))
		return
	}
	l.queue = append(l.queue, refusal{who.Tenant, store.Origin{Actor: actorName(who.Subject), Address: x.client, RequestID: x.id.String()}, detail})
	if l.idle == nil {
		l.idle = make(chan struct{})
		go l.write()
	}
}

func (l *refusalLog) write() {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			close(l.idle)
			l.queue, l.idle = nil, nil
			l.mu.Unlock()
			return
		}
		r := l.queue[0]
		l.queue = l.queue[1:]
		l.mu.Unlock()
		if err := l.store.NoteRefusal(store.WithOrigin(context.Background(), r.origin), r.tenant, r.detail); err != nil {
			l.log.Warn("a refusal of an operator is missing in the audit log", slog.String("request_id", r.origin.RequestID), slog.Any("error", err))
		}
	}
}

// close waits for what is queued, but not for long.
func (l *refusalLog) close() {
	l.mu.Lock()
	idle := l.idle
	l.mu.Unlock()
	if idle == nil {
		return
	}
	timer := time.NewTimer(refusalGrace)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}
