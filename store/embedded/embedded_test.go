package embedded

import (
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/store/redisconn"
)

// TestReplayKeepsTheTime: a journal that is opened days later must not make old
// entries young.
func TestReplayKeepsTheTime(t *testing.T) {
	t.Parallel()
	e, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	then := time.Now().Add(-48 * time.Hour)
	const source = `return redis.call("XADD", KEYS[1], "*", "field", "value")`
	for _, command := range [][]string{
		{"SCRIPT", "LOAD", source},
		{"EVALSHA", redisconn.NewScript(source).Hash(), "1", "log", redisconn.FormatMillis(then)},
	} {
		if err := e.replay(command); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := e.Redis.Stream("log")
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	if want := redisconn.FormatMillis(then) + "-"; !strings.HasPrefix(entries[0].ID, want) {
		t.Errorf("the entry is %s, want %s", entries[0].ID, want)
	}
	if now := e.rdb.Time(t.Context()).Val(); time.Since(now) > time.Hour {
		t.Errorf("the clock stands at %v", now)
	}
}
