package redisconn

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/redis/go-redis/v9"
)

// newClusterNode makes the client of one node of a cluster. It reads CLUSTER SLOTS itself:
// a cluster with cluster-preferred-endpoint-type unknown-endpoint, as behind a load
// balancer, leaves out the hosts, and go-redis takes that for no answer.
func newClusterNode(opt *redis.Options) *redis.Client {
	client := redis.NewClient(opt)
	client.AddHook(slotsReader{asked: opt.Addr})
	return client
}

type slotsReader struct{ asked string }

func (slotsReader) DialHook(next redis.DialHook) redis.DialHook { return next }

func (slotsReader) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (r slotsReader) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		slots, ok := cmd.(*redis.ClusterSlotsCmd)
		if !ok {
			return next(ctx, cmd)
		}
		raw := redis.NewSliceCmd(ctx, "cluster", "slots")
		err := next(ctx, raw)
		if err == nil {
			var found []redis.ClusterSlot
			if found, err = readSlots(raw.Val(), r.asked); err == nil {
				slots.SetVal(found)
				return nil
			}
		}
		err = fmt.Errorf("CLUSTER SLOTS of %s: %w", r.asked, err)
		slots.SetErr(err)
		return err
	}
}

var errSlots = errors.New("the answer is not understood")

// readSlots reads the answer of the node at an address, which counts for a host that is
// missing: "the client should send the request to the same endpoint it used".
// https://redis.io/docs/latest/commands/cluster-slots/
func readSlots(answer []any, asked string) ([]redis.ClusterSlot, error) {
	host, _, err := net.SplitHostPort(asked)
	if err != nil {
		return nil, err
	}
	slots := make([]redis.ClusterSlot, len(answer))
	for i, item := range answer {
		fields, ok := item.([]any)
		if !ok || len(fields) < 3 {
			return nil, errSlots
		}
		first, ok1 := fields[0].(int64)
		last, ok2 := fields[1].(int64)
		if !ok1 || !ok2 {
			return nil, errSlots
		}
		slots[i] = redis.ClusterSlot{Start: int(first), End: int(last)}
		for _, item := range fields[2:] {
			node, ok := item.([]any)
			if !ok || len(node) < 2 {
				return nil, errSlots
			}
			at, _ := node[0].(string) // nil or "" for an unknown host, "?" for a name that was not set
			if at == "" || at == "?" {
				at = host
			}
			port, ok := node[1].(int64)
			if !ok {
				return nil, errSlots
			}
			slots[i].Nodes = append(slots[i].Nodes, redis.ClusterNode{Addr: net.JoinHostPort(at, fmt.Sprint(port))})
		}
	}
	return slots, nil
}
