package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store/redisconn"
)

// proofRecorder collects when the proofs of a credential's senders last had which result,
// to be written with its last use.
type proofRecorder struct{ seen latest[seenProof] }

type seenProof struct {
	credential uuid.UUID
	result     string
}

// MarkProof notes the result of a proof at a local time.
func (s *Store) MarkProof(id uuid.UUID, result string, local time.Time) {
	s.proofs.seen.raise(seenProof{id, result}, s.clock.At(local).UnixMilli())
}

// take returns what is to be written, by credential.
func (p *proofRecorder) take() map[uuid.UUID]map[string]int64 {
	all := make(map[uuid.UUID]map[string]int64)
	for key, ms := range p.seen.take() {
		if all[key.credential] == nil {
			all[key.credential] = make(map[string]int64)
		}
		all[key.credential][key.result] = ms
	}
	return all
}

// fieldProof begins the fields of a record that hold when a result was last seen.
const fieldProof = "p:"

// flush writes what was collected; what could not be written is kept.
func (p *proofRecorder) flush(ctx context.Context, keys keyspace, scripts scriptRunner) error {
	all := p.take()
	var failed error
	for batch := range slices.Chunk(slices.Collect(maps.Keys(all)), usageBatch) {
		var records []string
		var args []any
		for _, id := range batch {
			records = append(records, keys.record(id))
			args = append(args, len(all[id]))
			for result, ms := range all[id] {
				args = append(args, fieldProof+result, ms)
			}
		}
		if failed == nil {
			if _, err := scripts.Run(ctx, proofsScript, 0, records, args); err != nil {
				failed = unavailable("write the results of proofs", err)
			}
		}
		if failed != nil {
			for _, id := range batch {
				for result, ms := range all[id] {
					p.seen.raise(seenProof{id, result}, ms)
				}
			}
		}
	}
	return failed
}

// addPending lets c show results that are not written yet.
func (p *proofRecorder) addPending(c *credential.Credential) {
	for key, ms := range p.seen.all {
		if key.credential != c.ID {
			continue
		}
		at := time.UnixMilli(ms).UTC()
		i := slices.IndexFunc(c.Proofs, func(seen credential.ProofSeen) bool { return seen.Result == key.result })
		if i < 0 {
			c.Proofs = append(c.Proofs, credential.ProofSeen{Result: key.result, At: at})
		} else if at.After(c.Proofs[i].At) {
			c.Proofs[i].At = at
		}
	}
	sortProofs(c.Proofs)
}

// parseProofs reads the results in a record, the newest first.
func parseProofs(fields map[string]string) (seen []credential.ProofSeen, err error) {
	for field, value := range fields {
		result, is := strings.CutPrefix(field, fieldProof)
		if !is {
			continue
		}
		at, err := redisconn.ParseMillis(value)
		if err != nil {
			return nil, err
		}
		seen = append(seen, credential.ProofSeen{Result: result, At: at})
	}
	sortProofs(seen)
	return seen, nil
}

func sortProofs(seen []credential.ProofSeen) {
	slices.SortFunc(seen, func(a, b credential.ProofSeen) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return strings.Compare(a.Result, b.Result)
	})
}
