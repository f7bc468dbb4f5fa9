package store

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
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
	return c, nil
}

// readBatch is how many records one round trip reads.
const readBatch = 500

// List returns every credential of a tenant and kind, newest first, revoked ones
// included. Errors: ErrUnavailable.
func (s *Store) List(ctx context.Context, tenant uuid.UUID, kind credential.Kind) ([]credential.Credential, error) {
	b, err := s.backend()
	if err != nil {
		return nil, err
	}
	var members []string
	err = b.ask(ctx, func(node *redis.Client) (err error) {
		members, err = node.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: s.keys.tenant(tenant), Start: 0, Stop: -1, Rev: true,
		}).Result()
		return err
	})
	if err != nil {
		return nil, unavailable("list a tenant", err)
	}
	credentials := make([]credential.Credential, 0, len(members))
	for batch := range slices.Chunk(members, readBatch) {
		records, err := s.readRecords(ctx, b, batch)
		if err != nil {
			return nil, err
		}
		for _, c := range records {
			if c.Kind == kind {
				s.usage.addPending(&c)
				credentials = append(credentials, c)
			}
		}
	}
	return credentials, nil
}

// readRecords reads the records of members of a tenant index.
func (s *Store) readRecords(ctx context.Context, b *backend, members []string) ([]credential.Credential, error) {
	credentials := make([]credential.Credential, len(members))
	ids := make([]uuid.UUID, len(members))
	for i, member := range members {
		var err error
		if ids[i], err = uuid.Parse(member); err != nil {
			return nil, credential.ErrCorrupt
		}
	}
	reads := make([]*redis.MapStringStringCmd, len(members))
	err := b.ask(ctx, func(node *redis.Client) error {
		_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, id := range ids {
				reads[i] = p.HGetAll(ctx, s.keys.record(id))
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, unavailable("read records", err)
	}
	for i, read := range reads {
		if credentials[i], err = parseRecord(ids[i], read.Val()); err != nil {
			return nil, err
		}
	}
	return credentials, nil
}

// ask runs commands on the server that holds the data set.
func (b *backend) ask(ctx context.Context, commands func(*redis.Client) error) error {
	node, err := b.commands.Node(ctx)
	if err == nil {
		err = commands(node)
	}
	if err != nil {
		b.commands.Failed(ctx, err)
	}
	return err
}

// awaitReplicas waits until the replicas have everything that was written so far,
// where the configuration asks for it.
func (s *Store) awaitReplicas(ctx context.Context) error {
	b, err := s.backend()
	if err != nil {
		return err
	}
	replicas := s.tuning.Load().WaitReplicas
	if replicas == 0 {
		return nil
	}
	var acknowledged int
	err = b.ask(ctx, func(node *redis.Client) (err error) {
		// Whatever a connection asks first makes its WAIT count from that moment.
		_, acknowledged, err = runAndWait(ctx, node, replicas, func(p redis.Pipeliner) *redis.Cmd {
			return p.Do(ctx, "PERSIST", s.keys.meta())
		})
		return err
	})
	switch {
	case err != nil:
		return unavailable("wait for replicas", err)
	case acknowledged < replicas:
		return ErrNotReplicated
	}
	return nil
}
