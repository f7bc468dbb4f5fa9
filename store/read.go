package store

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store/redisconn"
)

// Get returns one credential. Errors: ErrNotFound, ErrUnavailable.
func (s *Store) Get(ctx context.Context, ref Ref) (credential.Credential, error) {
	b, err := s.backend()
	if err != nil {
		return credential.Credential{}, err
	}
	var fields map[string]string
	err = b.ask(ctx, func(node *redis.Client) (err error) {
		fields, err = node.HGetAll(ctx, s.keys.record(ref.ID)).Result()
		return err
	})
	if err != nil {
		return credential.Credential{}, unavailable("read a record", err)
	}
	if len(fields) == 0 {
		return credential.Credential{}, ErrNotFound
	}
	c, err := parseRecord(ref.ID, fields)
	if err != nil {
		return credential.Credential{}, err
	}
	if c.Tenant != ref.Tenant || ref.Kind != "" && c.Kind != ref.Kind {
		return credential.Credential{}, ErrNotFound
	}
	s.usage.addPending(&c)
	s.proofs.addPending(&c)
	s.refusals.addPending(&c)
	return c, nil
}

// ask runs commands that can be repeated on the server that holds the data set.
func (b *backend) ask(ctx context.Context, commands func(*redis.Client) error) error {
	return askOn(ctx, b.commands, commands)
}

// askOn runs commands that can be repeated; again on a new connection where theirs turns
// out to be dead.
func askOn(ctx context.Context, conn redisconn.Conn, commands func(*redis.Client) error) error {
	err := askOnce(ctx, conn, commands)
	if redisconn.Dead(err) && ctx.Err() == nil {
		err = askOnce(ctx, conn, commands)
	}
	return err
}

// askOnce runs commands that must not be repeated.
func (b *backend) askOnce(ctx context.Context, commands func(*redis.Client) error) error {
	return askOnce(ctx, b.commands, commands)
}

func askOnce(ctx context.Context, conn redisconn.Conn, commands func(*redis.Client) error) error {
	node, err := conn.Node(ctx)
	if err == nil {
		err = commands(node)
	}
	if err != nil {
		conn.Failed(ctx, err)
	}
	return err
}
