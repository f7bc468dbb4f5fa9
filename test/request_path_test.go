package test

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestNoRedisOnTheRequestPath: requests cause no Redis command. What Redis sees is
// the keyring's polling and the batches of lastUsedAt, both bounded by time.
func TestNoRedisOnTheRequestPath(t *testing.T) {
	t.Parallel()
	const requests, flush = 1000, 200 * time.Millisecond
	u := newUpstream(t)
	s := onRedis(t)
	g := start(t, config{store: s, upstream: u.addr, app: []string{"usage_flush " + flush.String()}})
	admin := g.operator(t, tenantA, "admin")
	live := []credential{admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")}
	dead := admin.mintCallback("")
	admin.revoke(dead)
	// The first change creates the data set, after which the keyring is read anew at
	// some point; that of a new process is complete when it is ready.
	g.stop()
	g.Restart()

	rdb := s.redis.Client()
	if err := rdb.ConfigResetStat(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	var clients sync.WaitGroup
	for worker := range 4 {
		clients.Go(func() {
			for i := worker; i < requests; i += 4 {
				if a := g.use(t, live[i%2]); a.status != http.StatusOK {
					t.Errorf("accepted: %d", a.status)
				}
				refused := [...]credential{
					dead, {token: plausible("mcb_", i)}, {token: fmt.Sprintf("not-ours-%d", i)},
					{token: plausible("mwh_", i), vendor: "pluggy"}, {token: live[1].token, vendor: "belvo"},
				}[i%5]
				if a := g.use(t, refused); a.status != http.StatusUnauthorized {
					t.Errorf("refused: %d", a.status)
				}
			}
		})
	}
	clients.Wait()
	var calls map[string]int
	hookgatetest.Eventually(t, "the keyring polls and lastUsedAt is written", func() bool {
		calls = commandCalls(t, rdb)
		return calls["persist"] > 0 && calls["xread"] > 0 && calls["evalsha"] > 0 &&
			strings.Contains(g.Metrics(t), "hookgate_usage_pending 0\n")
	})
	elapsed := time.Since(begin)
	if got := len(u.take()); got != requests {
		t.Errorf("%d requests reached the upstream, want %d", got, requests)
	}

	// A flush comes after at least nine tenths of its interval, and has one script call for
	// the uses of both credentials and one for their refusals. What a script calls counts as
	// a command, too.
	flushes := int(elapsed/(flush*9/10)) + 2
	polls := int(elapsed/(400*time.Millisecond)) + 3
	bounds := map[string]int{
		"evalsha": 2 * flushes, "eval": 2, "script|load": 2, "time": 2*flushes + polls,
		"hmget": 4*flushes + polls, "hset": 4 * flushes,
		"xread": 2 * polls, "persist": polls,
		"ping": polls, "hello": 12, "client|setinfo": 12, "client|setname": 12, "select": 12, "auth": 0,
		"info": 1 << 20, "config|resetstat": 1, // ours
	}
	for command, n := range calls {
		if bound, known := bounds[command]; !known || n > bound {
			t.Errorf("%s: %d calls in %v, bound %d", command, n, elapsed, bound)
		}
	}
}

// commandCalls returns how often each command was called.
func commandCalls(t testing.TB, rdb *redis.Client) map[string]int {
	t.Helper()
	info, err := rdb.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	calls := make(map[string]int)
	for lines := bufio.NewScanner(strings.NewReader(info)); lines.Scan(); {
		name, stats, found := strings.Cut(lines.Text(), ":calls=")
		if !found {
			continue
		}
		count, _, _ := strings.Cut(stats, ",")
		n, err := strconv.Atoi(count)
		if err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		calls[strings.TrimPrefix(name, "cmdstat_")] = n
	}
	return calls
}
