package store

import (
	"context"
	"errors"
	"log/slog"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
)

// readBatch is how many records one round trip reads, and so how long a list holds
// Redis: whatever a client asks for, probes and changes wait for one batch.
const readBatch = 200

// maxLists is how many whole lists are read at once, by all operators of the process. One
// that fits a batch costs no more than a page, and is not counted.
const maxLists = 4

// ErrManyLists: as many whole lists are being read as one process reads at once.
var ErrManyLists = errors.New("too many whole lists are being read")

// listPlace is the place of a whole list among those that are read at once; the zero value
// holds none.
type listPlace struct{ in chan struct{} }

// take takes a place, unless it is held already. Errors: ErrManyLists.
func (p *listPlace) take(in chan struct{}) error {
	if p.in != nil {
		return nil
	}
	select {
	case in <- struct{}{}:
		p.in = in
		return nil
	default:
		return ErrManyLists
	}
}

func (p *listPlace) leave() {
	if p.in != nil {
		<-p.in
	}
}

// List calls page with every credential of a tenant and kind, newest first, revoked ones
// included, a batch at a time. It ends with the error that page returns.
//
// Errors: ErrManyLists, before the first page; ErrUnavailable.
func (s *Store) List(ctx context.Context, tenant uuid.UUID, kind credential.Kind, page func([]credential.Credential) error) error {
	b, err := s.backend()
	if err != nil {
		return err
	}
	var at listPosition
	var place listPlace
	defer place.leave()
	for last := false; !last; {
		var members []listPosition
		if members, last, err = s.indexAfter(ctx, b, tenant, at); err != nil {
			return err
		}
		if len(members) == 0 {
			break
		}
		if !last {
			if err := place.take(s.lists); err != nil {
				return err
			}
		}
		at = members[len(members)-1]
		records, err := s.readRecords(ctx, b, members)
		if err != nil {
			return err
		}
		shown := make([]credential.Credential, 0, len(records))
		for _, c := range records {
			if c != nil && c.Kind == kind {
				shown = append(shown, *c)
			}
		}
		if err := page(shown); err != nil {
			return err
		}
	}
	return nil
}

// readRecords reads the records of members of a tenant index. In the place of one that
// cannot be read is nil: it must not hide the others.
func (s *Store) readRecords(ctx context.Context, b *backend, members []listPosition) ([]*credential.Credential, error) {
	ids := make([]uuid.UUID, len(members))
	for i, member := range members {
		ids[i], _ = uuid.Parse(member.id) // there is no record under the zero id
	}
	// What Redis answers takes many times the memory of what becomes of it: few such answers
	// are here at once, however many operators ask.
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-ctx.Done():
		return nil, unavailable("read records", ctx.Err())
	}
	reads := make([]*redis.StringSliceCmd, len(members))
	err := b.askForList(ctx, func(node *redis.Client) error {
		_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, id := range ids {
				reads[i] = redis.NewStringSliceCmd(ctx, "HGETALL", s.keys.record(id))
				p.Process(ctx, reads[i])
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, unavailable("read records", err)
	}
	credentials := make([]*credential.Credential, len(members))
	unreadable, example := 0, ""
	fields := make(map[string]string) // one for all: a map of each would be most of the garbage
	for i, read := range reads {
		clear(fields)
		for pairs := read.Val(); len(pairs) >= 2; pairs = pairs[2:] {
			fields[pairs[0]] = pairs[1]
		}
		c, err := parseRecord(ids[i], fields)
		if err != nil {
			unreadable, example = unreadable+1, ids[i].String()
			continue
		}
		s.usage.addPending(&c)
		s.refusals.addPending(&c)
		credentials[i] = &c
	}
	if unreadable > 0 {
		s.log().Error("records that cannot be read are left out of a list", slog.Int("records", unreadable), slog.String("credential", example))
	}
	return credentials, nil
}

// askForList runs commands of a list on connections that only lists use: however many
// operators read lists, changes find a connection, and Redis has few batches at a time.
func (b *backend) askForList(ctx context.Context, commands func(*redis.Client) error) error {
	return askOn(ctx, b.lists, commands)
}
