package handlers

import (
	"encoding/json"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/caddymodule/grammar"
)

// several is one value or more. In JSON one stands without a list, as it did when there
// could be no more.
type several []string

func (s several) MarshalJSON() ([]byte, error) {
	if len(s) == 1 {
		return json.Marshal(s[0])
	}
	return json.Marshal([]string(s))
}

func (s *several) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*s = several{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}

// parseOne adds the one argument of a repeatable word.
func (s *several) parseOne(d *caddyfile.Dispenser) error {
	value, err := grammar.OneArg(d)
	*s = append(*s, value)
	return err
}

// parseSome adds all arguments of a repeatable word.
func (s *several) parseSome(d *caddyfile.Dispenser) error {
	values, err := grammar.SomeArgs(d)
	*s = append(*s, values...)
	return err
}

// resolve replaces the placeholders of each value.
func (s several) resolve(word string) ([]string, error) {
	resolved := make([]string, len(s))
	for i, value := range s {
		var err error
		if resolved[i], err = grammar.Resolve(word, value); err != nil {
			return nil, err
		}
	}
	return resolved, nil
}
