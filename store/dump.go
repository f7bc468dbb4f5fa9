package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/journal"
	"github.com/hookgate/hookgate/store/redisconn"
)

// A dump is a journal file with these records. It holds digests, no tokens. Indexes
// and the ledger are not in it: they follow from the credentials. Of several records
// of one credential the last counts.
//
//	DUMP <version>
//	CREDENTIAL <id> <field> <value>...
//	END <number of credentials>
const (
	dumpBegin      = "DUMP"
	dumpCredential = "CREDENTIAL"
	dumpEnd        = "END"
	dumpVersion    = "1"
)

// Errors of Dump and Restore.
var (
	ErrNotADump = errors.New("the file is not a whole dump of this version")
	ErrNotEmpty = errors.New("the namespace holds credentials already")
	errChanging = errors.New("the data set changes faster than it can be dumped")
)

const scanBatch = 1000

// Dump writes every credential with its digest to a file of mode 0600, which exists
// either wholly or not at all, and returns how many there are. Credentials may be
// changed meanwhile: the dump shows the data set as it was at one moment.
func (s *Store) Dump(ctx context.Context, path string) (int, error) {
	b, err := s.backend()
	if err != nil {
		return 0, err
	}
	n := 0
	file, err := journal.Write(path, s.dump(ctx, b, &n))
	if file != nil {
		err = errors.Join(err, file.Close())
	}
	return n, err
}

// DumpTo writes what Dump writes to a stream, whose last record says that it is whole.
func (s *Store) DumpTo(ctx context.Context, to io.Writer) (int, error) {
	b, err := s.backend()
	if err != nil {
		return 0, err
	}
	n := 0
	_, err = journal.Stream(to, s.dump(ctx, b, &n))
	return n, err
}

// dump returns what emits the records of a dump, and puts the number of credentials at n.
func (s *Store) dump(ctx context.Context, b *backend, n *int) func(emit func([]string) error) error {
	return func(emit func([]string) error) error {
		if err := emit([]string{dumpBegin, dumpVersion}); err != nil {
			return err
		}
		return b.askOnce(ctx, func(node *redis.Client) error {
			seen, err := s.dumpCredentials(ctx, node, emit)
			if err != nil {
				return err
			}
			*n = len(seen)
			return emit([]string{dumpEnd, strconv.Itoa(*n)})
		})
	}
}

// dumpCredentials emits every credential, and those again that the ledger says were
// changed since, until nothing changes any more. A rotation read half way would
// bring a revoked token back.
func (s *Store) dumpCredentials(ctx context.Context, node *redis.Client, emit func([]string) error) (map[uuid.UUID]bool, error) {
	before, _, err := s.follower.probe(ctx, node)
	if err != nil {
		return nil, err
	}
	start, err := s.follower.ledgerEnd(ctx, node, before)
	if err != nil {
		return nil, err
	}
	seen := make(map[uuid.UUID]bool)
	changed := make(map[uuid.UUID]bool)
	ledger := &ledgerReader{key: s.keys.ledger(), at: start, apply: func(c keyring.Change, _ string) error {
		for _, op := range c.Ops {
			changed[op.ID] = true
		}
		return nil
	}}
	err = s.eachCredential(ctx, node, func(ids []uuid.UUID) error { return s.dumpRecords(ctx, node, ids, seen, emit) })
	for err == nil {
		var now keyring.Meta
		if now, _, err = s.follower.probe(ctx, node); err != nil {
			return nil, err
		}
		if now.Seq == ledger.at.seq && now.Head == ledger.at.head && now.Epoch == ledger.at.epoch {
			return seen, nil
		}
		var resync errResync
		if err = ledger.catchUp(ctx, node, now); errors.As(err, &resync) {
			return nil, errChanging
		} else if err != nil {
			return nil, err
		}
		err = s.dumpRecords(ctx, node, slices.Collect(maps.Keys(changed)), seen, emit)
		clear(changed)
	}
	return nil, err
}

// eachCredential calls f with the ids of all credentials, some of them maybe twice.
func (s *Store) eachCredential(ctx context.Context, node *redis.Client, f func([]uuid.UUID) error) error {
	prefix := s.keys.record(uuid.Nil)
	prefix = prefix[:len(prefix)-len(uuid.Nil.String())]
	var cursor uint64
	for {
		keys, next, err := node.Scan(ctx, cursor, prefix+"*", scanBatch).Result()
		if err != nil {
			return err
		}
		ids := make([]uuid.UUID, len(keys))
		for i, key := range keys {
			if ids[i], err = uuid.Parse(key[len(prefix):]); err != nil {
				return credential.ErrCorrupt
			}
		}
		if err := f(ids); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

func (s *Store) dumpRecords(ctx context.Context, node *redis.Client, ids []uuid.UUID, seen map[uuid.UUID]bool, emit func([]string) error) error {
	for batch := range slices.Chunk(ids, readBatch) {
		reads := make([]*redis.MapStringStringCmd, len(batch))
		_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, id := range batch {
				reads[i] = p.HGetAll(ctx, s.keys.record(id))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i, read := range reads {
			c, err := parseRecord(batch[i], read.Val())
			if err != nil {
				return fmt.Errorf("credential %s: %w", batch[i], err)
			}
			record := []string{dumpCredential, batch[i].String()}
			field := fieldExpiresAt
			text, disabled := parseExpiry(read.Val())
			if disabled {
				field = fieldDisabled
			}
			if text != "" {
				read.Val()[field] = redisconn.FormatMillis(c.ExpiresAt) // as it is shown; one that is too late would not be restored
			}
			for field, value := range read.Val() {
				record = append(record, field, value)
			}
			if err := emit(record); err != nil {
				return err
			}
			seen[batch[i]] = true
		}
	}
	return nil
}

// readDump returns the fields of every credential in a dump.
func readDump(from io.Reader) (map[uuid.UUID]map[string]string, error) {
	data, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrNotADump)
	}
	credentials := make(map[uuid.UUID]map[string]string)
	begun, whole := false, false
	_, err = journal.ReplayRecords(data, func(record []string) error {
		switch {
		case whole:
			return ErrNotADump
		case !begun:
			begun = len(record) == 2 && record[0] == dumpBegin && record[1] == dumpVersion
			if !begun {
				return ErrNotADump
			}
		case record[0] == dumpEnd && len(record) == 2:
			whole = record[1] == strconv.Itoa(len(credentials))
		case record[0] == dumpCredential && len(record) >= 2 && len(record)%2 == 0:
			id, err := uuid.Parse(record[1])
			if err != nil {
				return ErrNotADump
			}
			fields := make(map[string]string, len(record)/2)
			for field := range slices.Chunk(record[2:], 2) {
				fields[field[0]] = field[1]
			}
			credentials[id] = fields
		default:
			return ErrNotADump
		}
		return nil
	})
	if err != nil || !whole { // what it is of a journal says nothing of a dump
		return nil, ErrNotADump
	}
	return credentials, nil
}
