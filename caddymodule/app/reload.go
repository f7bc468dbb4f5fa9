package app

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	_ "unsafe" // for go:linkname
)

// reloads counts reloads by signal.
var reloads struct {
	ok, failed atomic.Uint64
	lastFailed atomic.Bool
}

// lastConfig returns what Caddy's command run keeps for a reload by signal: the file, its
// adapter, and what loads it. Only its own handler gets to see them, which neither counts
// a file that cannot be read or adapted nor keeps the loop free for SIGTERM.
//
//go:linkname lastConfig github.com/caddyserver/caddy/v2.getLastConfig
func lastConfig() (file, adapter string, load func(file, adapter string) error)

// reloadLast loads the file that the process was started with.
func reloadLast() {
	log := caddy.Log().With(zap.String("signal", "SIGUSR1"))
	file, adapter, load := lastConfig()
	if file == "" || load == nil {
		log.Info("last config unknown, ignored SIGUSR1")
		return
	}
	log = log.With(zap.String("file", file), zap.String("adapter", adapter))
	log.Info("reloading config from last-known source")
	secrets := secretsOf(file) // before it is loaded: it may be changed meanwhile
	err := load(file, adapter)
	reloads.lastFailed.Store(err != nil)
	if err == nil {
		reloads.ok.Add(1)
		caddy.Log().Info("successfully reloaded config from file", zap.String("signal", "SIGUSR1"), zap.String("file", file), zap.String("adapter", adapter))
		return
	}
	reloads.failed.Add(1)
	reason := errors.New(maskSecrets(err.Error(), secrets))
	caddy.Log().Named("hookgate.reload").Error("failed to reload config from file", zap.String("signal", "SIGUSR1"), zap.String("file", file), zap.String("adapter", adapter), zap.Error(reason))
}

// secretWords are the words of a configuration behind which secrets stand, each with how
// many arguments before those are none.
var secretWords = map[string]int{
	"password": 0, "sentinel_password": 0, "secret": 0, "jwt_secret": 0, "client_secret": 0, "seal_key": 0,
	"token": 0, "signature": 1, "verify": 1, "challenge": 1, "secrets": 0, "header_up": 1,
}

var (
	placeholder = regexp.MustCompile(`^\{[^{}]+\}$`) // says where a secret is, and is none
	userInfo    = regexp.MustCompile(`//[^/@\s]*@`)
	environment = regexp.MustCompile(`\{(?:\$|env\.)([A-Za-z0-9_]+)[^}]*\}`)
)

// secretsOf returns what stands behind secret words in a file, the longest first: an
// error quotes what stands in the wrong place.
func secretsOf(file string) (secrets []string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	for _, found := range environment.FindAllSubmatch(text, -1) {
		secrets = append(secrets, os.Getenv(string(found[1])))
	}
	var config any
	if json.Unmarshal(text, &config) == nil {
		secrets = append(secrets, secretsOfJSON(config, false)...)
	} else if tokens, err := caddyfile.Tokenize(text, file); err == nil {
		secrets = append(secrets, secretsOfTokens(tokens)...)
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return slices.DeleteFunc(secrets, func(s string) bool { return s == "" || s == "{" || placeholder.MatchString(s) })
}

func secretsOfTokens(tokens []caddyfile.Token) (secrets []string) {
	line, plain := 0, -1 // how many arguments are none; negative: no secret word before
	for _, token := range tokens {
		switch skip, secret := secretWords[token.Text]; {
		case token.Line != line || plain < 0:
			line, plain = token.Line, -1
			if secret {
				plain = skip
			}
		case plain > 0:
			plain--
		default:
			secrets = append(secrets, token.Text)
		}
	}
	return secrets
}

func secretsOfJSON(value any, secret bool) (secrets []string) {
	switch v := value.(type) {
	case string:
		if secret {
			secrets = append(secrets, v)
		}
	case []any:
		for _, element := range v {
			secrets = append(secrets, secretsOfJSON(element, secret)...)
		}
	case map[string]any:
		for name, member := range v {
			_, is := secretWords[name]
			secrets = append(secrets, secretsOfJSON(member, secret || is)...)
		}
	}
	return secrets
}

// longSecret is from where on a secret is masked within a word, too: a shorter one may be
// part of any.
const longSecret = 8

// maskSecrets returns the reason of a failed reload without secrets, and without the
// passwords of URLs.
func maskSecrets(reason string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= longSecret {
			reason = strings.ReplaceAll(reason, secret, "-")
			continue
		}
		word := regexp.MustCompile(`(^|[^0-9A-Za-z])` + regexp.QuoteMeta(secret) + `($|[^0-9A-Za-z])`)
		reason = word.ReplaceAllString(reason, "${1}-${2}")
	}
	return userInfo.ReplaceAllString(reason, "//-@")
}
