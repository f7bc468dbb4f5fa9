package redisconn

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Product is what a server of the Redis family says that it is.
type Product struct{ Name, Version string }

// The names of the products that Hookgate is tested with.
const (
	productRedis  = "Redis"
	productValkey = "Valkey"
)

// least is the oldest version that Hookgate works with: before Redis 7.0 no script runs
// while memory is full, so nothing could be revoked then.
var least = map[string]struct{ major, minor int }{
	productRedis:  {7, 0},
	productValkey: {8, 0},
}

// named are the fields of INFO by which products tell that they are not Redis, whose
// redis_version is then a version that they are compatible with.
var named = []struct{ field, product string }{
	{"valkey_version", productValkey},
	{"dragonfly_version", "Dragonfly"},
	{"kvrocks_version", "Kvrocks"},
	{"garnet_version", "Garnet"},
}

// ProductOf reads the section server of INFO.
func ProductOf(info map[string]string) Product {
	for _, n := range named {
		if version := info[n.field]; version != "" {
			return Product{n.product, version}
		}
	}
	if name := info["server_name"]; name != "" && !strings.EqualFold(name, productRedis) {
		return Product{name, info["redis_version"]}
	}
	return Product{productRedis, info["redis_version"]}
}

func (p Product) String() string {
	if p.Version == "" {
		return p.Name + " of unknown version"
	}
	return p.Name + " " + p.Version
}

// Tested reports whether p is a product that Hookgate is tested with, of a version that
// is known.
func (p Product) Tested() bool {
	_, product := least[p.Name]
	_, _, version := p.number()
	return product && version
}

// ErrTooOld: the server is older than what Hookgate needs.
var ErrTooOld = errors.New("the server is too old")

// TooOld returns ErrTooOld with what is needed. What is not known is new enough.
func (p Product) TooOld() error {
	need, ok := least[p.Name]
	major, minor, known := p.number()
	if !ok || !known || major > need.major || major == need.major && minor >= need.minor {
		return nil
	}
	return fmt.Errorf("%w: %s, and Hookgate needs Redis 7.0, Valkey 8.0 or later: older ones let nothing be revoked while their memory is full", ErrTooOld, p)
}

func (p Product) number() (major, minor int, ok bool) {
	first, rest, _ := strings.Cut(p.Version, ".")
	second, _, _ := strings.Cut(rest, ".")
	major, err := strconv.Atoi(first)
	if err != nil {
		return 0, 0, false
	}
	minor, err = strconv.Atoi(second)
	return major, minor, err == nil
}

// ReadInfo returns the fields of INFO, of all sections where none is given.
func ReadInfo(ctx context.Context, node *redis.Client, sections ...string) (map[string]string, error) {
	text, err := node.Info(ctx, sections...).Result()
	if err != nil {
		return nil, err
	}
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info, nil
}

// Refused reports whether a server understood a command and does not run it for us: it is
// not permitted, unknown, or renamed.
func Refused(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return false
	}
	kind, _, _ := strings.Cut(reply.Error(), " ")
	return kind == "NOPERM" || kind == "ERR"
}

// newEnough is a way to a server that is looked at before it is used: no command goes to
// one that is too old.
type newEnough struct {
	Conn
	looked atomic.Bool
}

// NewEnough returns a way to the same server whose Node fails with ErrTooOld where it is
// older than what Hookgate needs.
func NewEnough(c Conn) Conn { return &newEnough{Conn: c} }

func (n *newEnough) Node(ctx context.Context) (*redis.Client, error) {
	node, err := n.Conn.Node(ctx)
	if err != nil || n.looked.Load() {
		return node, err
	}
	info, err := ReadInfo(ctx, node, "server")
	switch {
	case err == nil:
		if err := ProductOf(info).TooOld(); err != nil {
			return nil, err
		}
	case Refused(err): // as managed services may: it is taken for new enough
	case IsServerReply(err): // it may be loading, say: the command will tell
		return node, nil
	default:
		return nil, err
	}
	n.looked.Store(true)
	return node, nil
}
