package credential

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MergeMetadata changes metadata by a JSON merge patch (RFC 7396): members of the patch take
// the place of those of the same name, objects member by member, and null takes one away.
// An empty patch takes away all. Numbers come back as they were written.
func MergeMetadata(metadata, patch string) (string, error) {
	if patch == "" {
		return "", nil
	}
	merged := json.RawMessage(patch)
	if !isObject(merged) {
		return "", fmt.Errorf("%w: the metadata must be a JSON object", ErrInvalid)
	}
	merged, err := mergePatch(json.RawMessage(metadata), merged)
	return string(merged), err
}

func mergePatch(target, patch json.RawMessage) (json.RawMessage, error) {
	if !isObject(patch) {
		return patch, nil
	}
	members, changes := make(map[string]json.RawMessage), make(map[string]json.RawMessage)
	if isObject(target) {
		if err := json.Unmarshal(target, &members); err != nil {
			return nil, err
		}
	}
	if err := json.Unmarshal(patch, &changes); err != nil {
		return nil, err
	}
	for name, change := range changes {
		if string(change) == "null" {
			delete(members, name)
			continue
		}
		merged, err := mergePatch(members[name], change)
		if err != nil {
			return nil, err
		}
		members[name] = merged
	}
	// json.Marshal would write <, > and & in six bytes each.
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(members)
	return bytes.TrimSpace(text.Bytes()), err
}

// isObject reports whether valid JSON without space around it is an object.
func isObject(text json.RawMessage) bool { return len(text) > 0 && text[0] == '{' }
