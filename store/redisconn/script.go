package redisconn

import (
	_ "embed"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
)

// IsServerReply reports whether Redis answered with an error, as opposed to a
// connection that broke with the outcome unknown.
func IsServerReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

func FormatMillis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// ParseMillis reads the time of a record, as credential.StoredTime takes it.
func ParseMillis(text string) (time.Time, error) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, credential.ErrCorrupt
	}
	return credential.StoredTime(ms), nil
}

// Script is a script that changes the data set.
type Script struct {
	Source string
	*redis.Script
}

func NewScript(source string) Script {
	return Script{Source: source, Script: redis.NewScript(source)}
}
