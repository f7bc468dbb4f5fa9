package credential

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

// TestMergeMetadata has the examples of RFC 7396, appendix A, that are of objects.
func TestMergeMetadata(t *testing.T) {
	for _, test := range []struct{ metadata, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{``, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"n":12345678901234567890}`, `{"m":1.50,"<&>":"<&>"}`, `{"n":12345678901234567890,"m":1.50,"<&>":"<&>"}`},
		{`{"a":1}`, `{}`, `{"a":1}`},
		{`{"a":1}`, ``, ``},
	} {
		got, err := MergeMetadata(test.metadata, test.patch)
		if err != nil || !sameJSON(t, got, test.want) {
			t.Errorf("%s and %s are %s, %v, want %s", test.metadata, test.patch, got, err, test.want)
		}
	}
	for _, patch := range []string{"null", "[]", `"a"`, "1"} {
		if got, err := MergeMetadata(`{"a":1}`, patch); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %q, %v", patch, got, err)
		}
	}
}

// sameJSON compares to the last digit of every number.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	if a == "" || b == "" {
		return a == b
	}
	var values [2]map[string]json.RawMessage
	for i, text := range []string{a, b} {
		if err := json.Unmarshal([]byte(text), &values[i]); err != nil {
			t.Fatal(err)
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}
