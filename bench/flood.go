package main

import (
	"context"
	"log"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// floodResult is how clients with a token fare while others send unknown ones.
type floodResult struct {
	// Quiet and Flooded are the p99 of accepted requests beside other accepted ones and
	// beside a flood, in pairs.
	Quiet, Flooded []time.Duration
	// Refused requests, and what Redis was asked meanwhile and in as long a time without.
	Refused, Commands, Idle int
}

// half of the connections each.
const floodConnections = connections / 2

func measureFlood(ctx context.Context, r *rig, s *setup, o runOptions) (*floodResult, error) {
	var valid, flood traffic
	for _, t := range traffics {
		switch t.name {
		case accepted:
			valid = t
		case refused:
			flood = t
		}
	}
	result := new(floodResult)
	for round := range o.rounds {
		log.Printf("flood, round %d of %d", round+1, o.rounds)
		for _, beside := range []traffic{valid, flood} {
			done := make(chan error, 1)
			go func() {
				_, err := r.run(ctx, s, beside, floodConnections, o.duration)
				done <- err
			}()
			l, err := r.run(ctx, s, valid, floodConnections, o.duration)
			if besideErr := <-done; err == nil {
				err = besideErr
			}
			if err != nil {
				return nil, err
			}
			if beside.unknown {
				result.Flooded = append(result.Flooded, l.p99)
			} else {
				result.Quiet = append(result.Quiet, l.p99)
			}
		}
	}
	return result, result.countCommands(ctx, r, s, flood, o.duration)
}

// countCommands compares what Redis is asked during a flood and without one. What it is
// asked without is the sidecar's own: it follows the ledger, and probes twice a second.
func (f *floodResult) countCommands(ctx context.Context, r *rig, s *setup, flood traffic, d time.Duration) error {
	log.Print("flood, Redis commands")
	rdb := redis.NewClient(&redis.Options{Addr: s.redis})
	defer rdb.Close()
	// The uses that accepted requests left behind are written first.
	if err := sleep(ctx, 6*time.Second); err != nil {
		return err
	}
	before, err := commandCount(ctx, rdb)
	if err != nil {
		return err
	}
	began := time.Now()
	l, err := r.run(ctx, s, flood, connections, d)
	if err != nil {
		return err
	}
	took := time.Since(began)
	between, err := commandCount(ctx, rdb)
	if err != nil {
		return err
	}
	if err := sleep(ctx, took); err != nil {
		return err
	}
	after, err := commandCount(ctx, rdb)
	f.Refused, f.Commands, f.Idle = l.requests, between-before, after-between
	return err
}

func commandCount(ctx context.Context, rdb *redis.Client) (int, error) {
	info, err := rdb.Info(ctx, "stats").Result()
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(info, "total_commands_processed:")
	number, _, _ := strings.Cut(rest, "\r\n")
	return strconv.Atoi(number)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
