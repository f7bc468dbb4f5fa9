package redisconn

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// None of these repeats anything of an address: a password is in it.
var (
	errRedisURL     = errors.New("a Redis address must be a URL: redis://[user:password@]host:port[/database number], rediss:// likewise, or unix:///path")
	errRedisHost    = errors.New("a Redis address needs one host: a name, or an address, which for IPv6 stands in brackets: redis://[::1]:6379")
	errRedisPort    = errors.New("the port of a Redis address must be a number from 1 to 65535")
	errDatabase     = errors.New("the database of a Redis address must be a number from 0 to 65535: redis://host:port/database number")
	errTwoDatabases = errors.New("a Redis address says its database once, behind a slash or as ?db=")
	errURLOption    = errors.New("a Redis address takes a user, password, host, port and database number, and no option: there are words for what can be set")
	errUnixPath     = errors.New("a Redis address of a unix socket needs three slashes and a path: unix:///path")
	errRedisURLs    = errors.New("the Redis addresses of one deployment must have the same scheme, and no unix socket among them")
	errFirstURL     = errors.New("user, password and database are those of the first Redis address: another one must have the same, or none")
)

// address is a parsed URL.
type address struct {
	*redis.Options
	database bool // it names one
}

// parseURL reads an address. What go-redis makes of a mistake in silence (another database, port
// 6379, localhost) or obeys (options, skip_verify among them) is an error here.
func parseURL(text string) (address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return address{}, errRedisURL // url's own text repeats the URL
	}
	query, err := url.ParseQuery(u.RawQuery)
	inQuery := query["db"]
	delete(query, "db")
	if err != nil || len(query) > 0 || u.Fragment != "" {
		return address{}, errURLOption
	}
	databases := inQuery
	switch u.Scheme {
	case "redis", "rediss":
		if err := checkHost(u); err != nil {
			return address{}, err
		}
		if inPath := strings.Trim(u.Path, "/"); inPath != "" {
			databases = append(databases, inPath)
		}
	case "unix":
		if u.Host != "" || strings.Trim(u.Path, "/ ") == "" {
			return address{}, errUnixPath
		}
	default:
		return address{}, errRedisURL
	}
	if len(databases) > 1 {
		return address{}, errTwoDatabases
	}
	for _, number := range databases {
		// Far more than any server is set up with, so that a slip of the hand is found here.
		if _, err := strconv.ParseUint(number, 10, 16); err != nil {
			return address{}, errDatabase
		}
	}
	options, err := redis.ParseURL(text)
	if err != nil {
		return address{}, errRedisURL
	}
	return address{options, len(databases) > 0}, nil
}

func checkHost(u *url.URL) error {
	host := u.Hostname()
	if host == "" || strings.ContainsAny(host, ", ") || strings.Contains(host, ":") && u.Host[0] != '[' {
		return errRedisHost
	}
	port := u.Port()
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) || strings.HasSuffix(u.Host, ":") {
		return errRedisPort
	}
	return nil
}

// follows checks an address behind the first one: what it says beside its host must not
// differ, since nobody would obey it.
func (a address) follows(first address) error {
	if a.Network != first.Network || (a.TLSConfig == nil) != (first.TLSConfig == nil) {
		return errRedisURLs
	}
	if a.Username+a.Password != "" && (a.Username != first.Username || a.Password != first.Password) || a.database && a.DB != first.DB {
		return errFirstURL
	}
	return nil
}
