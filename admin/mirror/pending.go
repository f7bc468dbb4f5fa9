package mirror

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// How many revocations are repeated: in all, and of one tenant, so that none takes the
// place of the others'. Each holds a JWT in memory.
const (
	maxPending       = 1000
	maxTenantPending = 100
)

// How long it is waited before a revocation is repeated: twice as long each time.
const (
	firstWait = time.Second
	lastWait  = time.Minute
)

// queue is the revocations that Matcher did not take yet, by the id of the credential.
type queue struct {
	mu      sync.Mutex
	waiting map[uuid.UUID]*waiting

	changed func(int)
	givenUp func()
}

type waiting struct {
	by   Caller
	due  time.Time
	wait time.Duration
	// silent: Matcher gave no answer to it the last time, rather than a refusal.
	silent bool
}

// Later has a revocation repeated until Matcher takes it or the JWT ends. One that was
// pending already goes on with the JWT that ends later. It reports whether it is repeated.
func (m *Mirror) Later(by Caller, id uuid.UUID) bool {
	q, now := &m.queue, m.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if before := q.waiting[id]; before != nil {
		if by.Until.After(before.by.Until) {
			before.by = by
		}
		return true
	}
	ofTenant := 0
	for _, w := range q.waiting {
		if w.by.Tenant == by.Tenant {
			ofTenant++
		}
	}
	if len(q.waiting) >= maxPending || ofTenant >= maxTenantPending || q.closed() {
		m.giveUp(id, by, "too many are pending")
		return false
	}
	q.waiting[id] = &waiting{by: by, due: now.Add(firstWait), wait: firstWait, silent: true}
	q.changed(1)
	return true
}

// Settled takes back Later: Matcher has taken the revocation. As it answers again, the
// others wait no longer.
func (m *Mirror) Settled(id uuid.UUID) {
	q, now := &m.queue, m.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting[id] != nil {
		q.remove(id)
	}
	for _, w := range q.waiting {
		if w.silent {
			w.due, w.wait = now, firstWait
		}
	}
}

func (q *queue) closed() bool { return q.waiting == nil }

func (q *queue) remove(id uuid.UUID) {
	delete(q.waiting, id)
	q.changed(-1)
}

// giveUp says that a revocation is not repeated. Whoever reads it can ask again.
func (m *Mirror) giveUp(id uuid.UUID, by Caller, why string) {
	m.log().Error("a revocation holds here, has not reached Matcher, and is not repeated any more: ask for it again",
		slog.String("credential", id.String()), slog.String("tenant", by.Tenant.String()),
		slog.String("request_id", by.RequestID), slog.String("reason", why))
	m.queue.givenUp()
}

// due returns what is to be repeated now, the longest waiting first, and gives up what
// nobody's JWT is valid for any more.
func (m *Mirror) due() []uuid.UUID {
	q, now := &m.queue, m.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	var ids []uuid.UUID
	for id, w := range q.waiting {
		switch {
		case !now.Before(w.by.Until):
			q.remove(id)
			m.giveUp(id, w.by, "the operator's JWT has ended")
		case !now.Before(w.due):
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int {
		return cmp.Or(q.waiting[a].due.Compare(q.waiting[b].due), slices.Compare(a[:], b[:]))
	})
	return ids
}

// RepeatPending repeats the revocations whose time has come. It ends with the first that
// Matcher gives no answer to: it would give the others none either.
func (m *Mirror) RepeatPending(ctx context.Context) {
	for _, id := range m.due() {
		q := &m.queue
		q.mu.Lock()
		w := q.waiting[id]
		if w == nil { // settled meanwhile
			q.mu.Unlock()
			continue
		}
		by := w.by
		w.silent = true // until it answers
		w.wait = min(2*w.wait, lastWait)
		w.due = m.now().Add(w.wait)
		q.mu.Unlock()
		answer, err := m.Revoke(ctx, by, id)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			m.log().Warn("a revocation that holds here has still not reached Matcher",
				slog.String("credential", id.String()), slog.String("request_id", by.RequestID), slog.Any("error", err))
			return
		case m.Ended(ctx, by, id, answer):
			m.Settled(id)
			m.log().Info("a revocation has reached Matcher",
				slog.String("credential", id.String()), slog.String("request_id", by.RequestID))
		default:
			m.answered(id)
			m.log().Warn("Matcher does not take a revocation that holds here",
				slog.String("credential", id.String()), slog.String("request_id", by.RequestID), slog.Int("status", answer.Status))
		}
	}
}

// answered notes that Matcher does answer to a revocation, and refuses it.
func (m *Mirror) answered(id uuid.UUID) {
	q := &m.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if w := q.waiting[id]; w != nil {
		w.silent = false
	}
}

func (m *Mirror) repeatEvery(ctx context.Context, every time.Duration) {
	defer close(m.ended)
	if every <= 0 {
		return
	}
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			m.RepeatPending(ctx)
		}
	}
}

// Close ends the repeating, and says of each pending revocation that it is given up: the
// JWTs are nowhere but in memory.
func (m *Mirror) Close() {
	m.end()
	<-m.ended
	q := &m.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, w := range q.waiting {
		q.remove(id)
		m.giveUp(id, w.by, "the server stops, or is configured anew")
	}
	q.waiting = nil
}
