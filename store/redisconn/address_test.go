package redisconn

import (
	"errors"
	"strings"
	"testing"
)

// TestAddresses: what an address says is obeyed, and a mistake in it is named without any
// of its text.
func TestAddresses(t *testing.T) {
	const (
		cluster  = "cluster "
		sentinel = "sentinel "
	)
	for text, want := range map[string]error{
		"redis://h":                             nil,
		"redis://h:65535/65535":                 nil,
		"redis://h/?db=2":                       nil,
		"redis://h/2/":                          nil,
		"redis://[::1]":                         nil,
		"redis://[fe80::1%25eth0]:6379":         nil,
		"redis://127.0.0.1":                     nil,
		"rediss://hidden:hidden@redis_1:1/0":    nil,
		"unix:///run/redis.sock":                nil,
		"unix://:hidden@/run/redis.sock?db=1":   nil,
		cluster + "redis://a/0 redis://b":       nil,
		cluster + "redis://:p@a redis://:p@b":   nil,
		sentinel + "redis://:p@a/3 redis://b":   nil,
		sentinel + "redis://a/3 redis://b?db=3": nil,

		"redis://":                   errRedisHost,
		"rediss://:hidden@":          errRedisHost,
		"redis://:6379":              errRedisHost,
		"redis:///1":                 errRedisHost,
		"redis://hidden,b:6379":      errRedisHost,
		"redis://[hidden]:6379":      errRedisURL,
		"redis://h:":                 errRedisPort,
		"redis://h:0":                errRedisPort,
		"rediss://h:99999":           errRedisPort,
		"redis://h/-1":               errDatabase,
		"redis://h/+1":               errDatabase,
		"redis://h/hidden":           errDatabase,
		"redis://h/0/1":              errDatabase,
		"redis://h/99999999":         errDatabase,
		"redis://h?db=-1":            errDatabase,
		"redis://h?db=":              errDatabase,
		"unix:///hidden?db=99999999": errDatabase,
		"redis://h/0?db=1":           errTwoDatabases,
		"redis://h/1?db=1":           errTwoDatabases,
		"redis://h?db=1&db=2":        errTwoDatabases,
		"redis://h?hidden=1":         errURLOption,
		"redis://h?a;b":              errURLOption,
		"unix://hidden/redis.sock":   errUnixPath,
		"unix:///":                   errUnixPath,
		"unix://":                    errUnixPath,
		"redis:hidden:6379":          errRedisURL,
		"hidden":                     errRedisURL,
		"hidden:6379":                errRedisURL,
		"http://hidden":              errRedisURL,
		"":                           errRedisURL,

		cluster + "redis://a redis://b:99999":         errRedisPort,
		cluster + "redis://a redis://:hidden@b":       errFirstURL,
		cluster + "redis://a redis://b/1":             errFirstURL,
		cluster + "redis://a redis://h/0?db=0":        errTwoDatabases,
		cluster + "redis://a rediss://b":              errRedisURLs,
		cluster + "redis://a/1 redis://b":             errClusterDB,
		sentinel + "redis://a/3 redis://b/0":          errFirstURL,
		sentinel + "redis://u:p@a redis://u:hidden@b": errFirstURL,
		sentinel + "unix:///run/a.sock":               errRedisURLs,
		sentinel + "redis://a redis://":               errRedisHost,
		"redis://::1:6379":                            errRedisHost,
		"redis://2001:db8::1":                         errRedisHost,
	} {
		var s Server
		urls := text
		if rest, found := strings.CutPrefix(text, cluster); found {
			s.Topology, urls = Cluster, rest
		} else if rest, found := strings.CutPrefix(text, sentinel); found {
			s.Topology, s.Master, urls = Sentinel, "main", rest
		}
		s.URLs = strings.Split(urls, " ")
		_, _, err := s.Options()
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "99999")) {
			t.Errorf("%q is repeated: %v", text, err)
		}
	}
}
