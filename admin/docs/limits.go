package docs

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// describeLimits says in words what a value of a schema must keep to.
func describeLimits(s *huma.Schema) string {
	if s == nil {
		return ""
	}
	var limits []string
	say := func(format string, args ...any) { limits = append(limits, fmt.Sprintf(format, args...)) }
	if len(s.Enum) > 0 {
		values := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			values[i] = fmt.Sprint(v)
		}
		say("one of %s", strings.Join(values, ", "))
	}
	bound(say, "characters", s.MinLength, s.MaxLength)
	bound(say, "items", s.MinItems, s.MaxItems)
	bound(say, "properties", s.MinProperties, s.MaxProperties)
	bound(say, "", s.Minimum, s.Maximum)
	if s.PatternDescription != "" {
		say("%s", s.PatternDescription)
	} else if s.Pattern != "" {
		say("matches %s", s.Pattern)
	}
	if s.Default != nil {
		say("%v by default", s.Default)
	}
	return strings.Join(limits, "; ")
}

func bound[N int | float64](say func(string, ...any), unit string, low, high *N) {
	unit = strings.TrimSuffix(" "+unit, " ")
	switch {
	case low != nil && high != nil:
		say("%v to %v%s", *low, *high, unit)
	case low != nil:
		say("at least %v%s", *low, unit)
	case high != nil:
		say("at most %v%s", *high, unit)
	}
}
