package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// losingRetry is how long to wait before Redis is asked again that could not be asked.
const losingRetry = 2 * time.Second

// losingChecks are the findings of Check that tell of a Redis which is run as a cache. It
// works until it is full or restarted, and then every vendor is refused.
var losingChecks = map[string]bool{"persistence": true, "eviction": true}

// warnOfLosing says once, in one line, that Redis is set up to lose the data set.
func (s *Store) warnOfLosing(ctx context.Context, b *backend) {
	for {
		var reasons []string
		err := b.ask(ctx, func(node *redis.Client) error {
			var answered redis.Error
			if err := node.Info(ctx, "server").Err(); err != nil {
				if errors.As(err, &answered) {
					return nil // it does not tell us
				}
				return err
			}
			for _, f := range s.checkServer(ctx, node) {
				if losingChecks[f.Check] && f.Severity == SeverityProblem {
					reasons = append(reasons, f.Check+" "+f.Detail)
				}
			}
			return nil
		})
		if err == nil {
			if len(reasons) > 0 {
				s.log().Warn("this Redis will lose credentials and revocations: give Hookgate one of its own, not that of Matcher", "reason", strings.Join(reasons, "; "))
			}
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(losingRetry):
		}
	}
}
