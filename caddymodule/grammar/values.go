package grammar

import (
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// Resolve replaces the placeholders of a configured value. One that is unknown or
// empty is an error: a missing secret must not become an empty one. The error
// names the word, never the value.
func Resolve(word, value string) (string, error) {
	resolved, err := caddy.NewReplacer().ReplaceOrErr(value, true, true)
	if err != nil {
		return "", fmt.Errorf("hookgate: %s: %w", word, err) // names the placeholder alone
	}
	if resolved == "" {
		return "", fmt.Errorf("hookgate: %s is empty", word)
	}
	return resolved, nil
}

func Within(word string, value, low, high caddy.Duration) error {
	if value < low || value > high {
		return fmt.Errorf("hookgate: %s must be between %s and %s", word, time.Duration(low), time.Duration(high))
	}
	return nil
}
