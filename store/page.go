package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
)

// Page sizes of lists.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// Query selects credentials of a tenant. Zero values select all.
type Query struct {
	Kind   credential.Kind
	Status credential.Status
	Label  string // exactly
	// Search is the id, or a part of the label, client id, vendor or connection, in
	// upper or lower case.
	Search string
	// UnusedSince selects what has not been used since then, or ever.
	UnusedSince time.Time
	// ExpiresBefore selects what expires, or has expired, before then. What is revoked does
	// not expire.
	ExpiresBefore time.Time

	HideRevoked bool
	Limit       int    // at most MaxPage; DefaultPage where not positive
	Cursor      string // of the page before
}

// pageReads bounds how many credentials one query looks through.
const pageReads = 50 * readBatch

// Page returns credentials of a tenant, newest first, and the cursor of the next
// page, "" after the last. The order is by creation, which never changes, so what is
// minted or revoked between two pages neither repeats nor hides another credential.
// A page may be short of the limit, or empty, and still have a next one.
//
// Errors: ErrInvalid (the cursor), ErrUnavailable.
func (s *Store) Page(ctx context.Context, tenant uuid.UUID, q Query) ([]credential.Credential, string, error) {
	var page []credential.Credential
	next, err := s.EachOfPage(ctx, tenant, q, func(part []credential.Credential) error {
		page = append(page, part...)
		return nil
	})
	return page, next, err
}

// EachOfPage is Page, but that it calls part with what it reads at once, so that no page is in
// memory as a whole. It ends with the error that part returns.
func (s *Store) EachOfPage(ctx context.Context, tenant uuid.UUID, q Query, part func([]credential.Credential) error) (next string, err error) {
	b, err := s.backend()
	if err != nil {
		return "", err
	}
	at, err := parsePosition(q.Cursor)
	if err != nil {
		return "", err
	}
	wanted := pageLimit(q.Limit)
	for read := 0; read < pageReads; {
		members, last, err := s.indexAfter(ctx, b, tenant, at)
		if err != nil {
			return "", err
		}
		if !q.filters() && len(members) > wanted {
			members, last = members[:wanted], false
		}
		records, err := s.readRecords(ctx, b, members)
		if err != nil {
			return "", err
		}
		found := make([]credential.Credential, 0, min(len(records), wanted))
		for i, c := range records {
			at = members[i]
			if c == nil || !q.selects(c, s.clock.Now()) {
				continue
			}
			found = append(found, *c)
			if wanted--; wanted == 0 && !(last && i == len(records)-1) {
				return at.cursor(), part(found)
			}
		}
		if err := part(found); err != nil || last {
			return "", err
		}
		read += len(records)
	}
	return at.cursor(), nil
}

// filters reports whether the query selects at all.
func (q *Query) filters() bool {
	return q.Kind != "" || q.Status != "" || q.Label != "" || q.Search != "" || !q.UnusedSince.IsZero() || !q.ExpiresBefore.IsZero() || q.HideRevoked
}

func (q *Query) selects(c *credential.Credential, now time.Time) bool {
	return (q.Kind == "" || c.Kind == q.Kind) &&
		(q.Status == "" || c.Status(now) == q.Status) &&
		(q.Label == "" || c.Label == q.Label) &&
		(!q.HideRevoked || c.Status(now) != credential.StatusRevoked) &&
		(q.UnusedSince.IsZero() || c.LastUsedAt.Before(q.UnusedSince)) &&
		(q.ExpiresBefore.IsZero() || c.RevokedAt.IsZero() && !c.ExpiresAt.IsZero() && c.ExpiresAt.Before(q.ExpiresBefore)) &&
		(q.Search == "" || q.finds(c))
}

func (q *Query) finds(c *credential.Credential) bool {
	part := strings.ToLower(q.Search)
	has := func(text string) bool { return strings.Contains(strings.ToLower(text), part) }
	return has(c.Label) || has(c.ClientID) || has(c.Vendor) || has(c.Connection) || c.ID.String() == part
}

// listPosition is that of a credential in its tenant's index, which orders by
// creation time and then by id.
type listPosition struct {
	ms int64
	id string
}

// indexAfter returns the next credentials behind a position, and whether they are the
// last. Redis can only start at a time, so those of the same millisecond come again.
func (s *Store) indexAfter(ctx context.Context, b *backend, tenant uuid.UUID, at listPosition) (members []listPosition, last bool, err error) {
	newest := "+inf"
	if at.id != "" {
		newest = strconv.FormatInt(at.ms, 10)
	}
	for offset := int64(0); ; offset += readBatch {
		var found []redis.Z
		err = b.askForList(ctx, func(node *redis.Client) (err error) {
			// With REV Redis wants the greater score first.
			found, err = node.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{
				Key: s.keys.tenant(tenant), Start: newest, Stop: "-inf", ByScore: true, Rev: true, Offset: offset, Count: readBatch,
			}).Result()
			return err
		})
		if err != nil {
			return nil, false, unavailable("list a tenant", err)
		}
		for _, z := range found {
			if id, _ := z.Member.(string); at.id == "" || int64(z.Score) < at.ms || id < at.id {
				members = append(members, listPosition{int64(z.Score), id})
			}
		}
		if last = len(found) < readBatch; last || len(members) > 0 {
			return members, last, nil
		}
	}
}

func pageLimit(limit int) int {
	if limit <= 0 {
		return DefaultPage
	}
	return min(limit, MaxPage)
}

var errCursor = fmt.Errorf("%w: the cursor is not one of ours", credential.ErrInvalid)

// Cursors are opaque to clients: what is in them may change.
func encodeCursor(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// decodeCursor returns the number and the rest of what encodeCursor was given,
// "<number>-<rest>". The rest is the client's, to be checked.
func decodeCursor(cursor string) (number int64, rest string, err error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, "", errCursor
	}
	first, rest, ok := strings.Cut(string(text), "-")
	n, err := strconv.ParseUint(first, 10, 63)
	if err != nil || !ok {
		return 0, "", errCursor
	}
	return int64(n), rest, nil
}

func (p listPosition) cursor() string { return encodeCursor(strconv.FormatInt(p.ms, 10) + "-" + p.id) }

func parsePosition(cursor string) (listPosition, error) {
	if cursor == "" {
		return listPosition{}, nil
	}
	ms, rest, err := decodeCursor(cursor)
	if err != nil {
		return listPosition{}, err
	}
	if id, err := uuid.Parse(rest); err != nil || id.String() != rest {
		return listPosition{}, errCursor
	}
	return listPosition{ms, rest}, nil
}
