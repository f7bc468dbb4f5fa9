package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// AuditQuery selects entries of a tenant's audit log. Zero values select all.
type AuditQuery struct {
	Credential uuid.UUID // its history: the rotation that made it, too
	Action     string
	Actor      string // exactly
	Since      time.Time
	Until      time.Time // entries before it
	Limit      int       // at most MaxPage; DefaultPage where not positive
	Cursor     string    // of the page before
}

func (q *AuditQuery) selects(e *AuditEntry) bool {
	return (q.Credential == uuid.Nil || e.concerns(q.Credential)) &&
		(q.Action == "" || e.Action == q.Action) &&
		(q.Actor == "" || e.Actor == q.Actor) &&
		(q.Since.IsZero() || !e.At.Before(q.Since)) &&
		(q.Until.IsZero() || e.At.Before(q.Until))
}

// filters reports whether the query selects by more than time.
func (q *AuditQuery) filters() bool {
	return q.Credential != uuid.Nil || q.Action != "" || q.Actor != ""
}

// clockSlack is how much later than its time the id of an entry may be: Redis takes no id
// that is before the last one, so while its clock is behind it goes on with that.
const clockSlack = time.Minute

// oldest and newest return the ids between which everything is that the query may select.
func (q *AuditQuery) oldest() string {
	if q.Since.UnixMilli() <= 0 {
		return "-"
	}
	return strconv.FormatInt(q.Since.UnixMilli(), 10)
}

func (q *AuditQuery) newest() string {
	if q.Until.IsZero() {
		return "+"
	}
	return strconv.FormatInt(max(q.Until.Add(clockSlack).UnixMilli(), 0), 10)
}

// auditReads bounds how many entries one query looks through.
const auditReads = 50 * readBatch

// Audit returns entries of a tenant's audit log, newest first, and the cursor of the
// next page, "" after the last. A page may be short of the limit, or empty, and
// still have a next one. Errors: ErrInvalid (the cursor), ErrUnavailable.
func (s *Store) Audit(ctx context.Context, tenant uuid.UUID, q AuditQuery) ([]AuditEntry, string, error) {
	b, err := s.backend()
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(q.Limit)
	oldest, end := q.oldest(), q.newest()
	if q.Cursor != "" {
		ms, rest, err := decodeCursor(q.Cursor)
		if err != nil {
			return nil, "", err
		}
		n, err := strconv.ParseUint(rest, 10, 64)
		if err != nil || ms == 0 && n == 0 { // Redis takes no 0-0
			return nil, "", errCursor
		}
		end = fmt.Sprintf("(%d-%d", ms, n)
	}
	entries := make([]AuditEntry, 0, min(limit, readBatch))
	for read := 0; read < auditReads; {
		messages, err := s.readStream(ctx, b, func(node *redis.Client) *redis.XMessageSliceCmd {
			return node.XRevRangeN(ctx, s.keys.audit(tenant), end, oldest, readBatch)
		})
		if err != nil {
			return nil, "", err
		}
		last := len(messages) < readBatch
		for _, message := range messages {
			entry, ok := s.readEntry(tenant, message)
			if ok && q.selects(&entry) {
				if len(entries) == limit { // this one is of the next page
					return entries, encodeCursor(end[1:]), nil
				}
				entries = append(entries, entry)
			}
			end = "(" + message.ID
		}
		if last {
			return entries, "", nil
		}
		if len(entries) == limit && q.filters() { // the next one can be far away
			break
		}
		read += len(messages)
	}
	return entries, encodeCursor(end[1:]), nil
}

// EachAudit calls page with the entries that a query selects, oldest first, a batch at a
// time; its limit and cursor do not count. It ends with the error that page returns.
//
// Errors: ErrManyLists, before the first page; ErrUnavailable.
func (s *Store) EachAudit(ctx context.Context, tenant uuid.UUID, q AuditQuery, page func([]AuditEntry) error) error {
	b, err := s.backend()
	if err != nil {
		return err
	}
	begin, newest := q.oldest(), q.newest()
	var place listPlace
	defer place.leave()
	for {
		messages, err := s.readStream(ctx, b, func(node *redis.Client) *redis.XMessageSliceCmd {
			return node.XRangeN(ctx, s.keys.audit(tenant), begin, newest, readBatch)
		})
		if err != nil {
			return err
		}
		last := len(messages) < readBatch
		if !last {
			if err := place.take(s.lists); err != nil {
				return err
			}
		}
		entries := make([]AuditEntry, 0, len(messages))
		for _, message := range messages {
			begin = "(" + message.ID
			if entry, ok := s.readEntry(tenant, message); ok && q.selects(&entry) {
				entries = append(entries, entry)
			}
		}
		if err := page(entries); err != nil {
			return err
		}
		if last {
			return nil
		}
	}
}

// readStream reads a batch of entries on a connection of lists.
func (s *Store) readStream(ctx context.Context, b *backend, read func(*redis.Client) *redis.XMessageSliceCmd) (messages []redis.XMessage, err error) {
	err = b.askForList(ctx, func(node *redis.Client) (err error) {
		messages, err = read(node).Result()
		return err
	})
	if err != nil {
		return nil, unavailable("read the audit log", err)
	}
	return messages, nil
}

// readEntry parses an entry. One that cannot be read must not hide the others.
func (s *Store) readEntry(tenant uuid.UUID, message redis.XMessage) (AuditEntry, bool) {
	entry, err := parseAudit(tenant, message)
	if err != nil {
		s.log().Error("an entry of the audit log cannot be read and is left out", "entry", message.ID)
	}
	return entry, err == nil
}
