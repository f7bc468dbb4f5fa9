package admin_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// existing returns the id of a credential that was made for the purpose, where the
// collection above a path parameter can make one, or else an id that never was.
func (d *driver) existing(parameter string) string {
	collection := strings.TrimSuffix(d.path[:strings.Index(d.path, "{"+parameter+"}")], "/")
	item, _ := at(d.t, d.doc.root, "paths").(map[string]any)[collection].(map[string]any)
	operator := adminOf(d.t, tenantA)
	if post, ok := item["post"]; ok {
		_, examples := d.bodyOf(post)
		for _, example := range examples { // some can be made only once
			if id := idIn(d.server.as(operator, "POST", collection, string(must(json.Marshal(example)))).body); id != "" {
				return id
			}
		}
	}
	if _, ok := item["get"]; ok {
		if id := idIn(d.server.as(operator, "GET", collection, "").body); id != "" {
			return id
		}
	}
	return uuid.NewString()
}

// idIn finds the first id in a document.
func idIn(text []byte) string {
	var v any
	if json.Unmarshal(text, &v) != nil {
		return ""
	}
	var find func(any) string
	find = func(v any) string {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				if id := find(item); id != "" {
					return id
				}
			}
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				text, ok := v[name].(string)
				if ok && (name == "id" || name == "credentialId") {
					return text
				}
				if id := find(v[name]); id != "" {
					return id
				}
			}
		}
		return ""
	}
	return find(v)
}

func (d *driver) check(name string, a answer, want outcome) {
	d.t.Helper()
	if a.StatusCode >= 500 {
		d.fail(name, a, "the server is to blame")
	}
	if want == refused && a.StatusCode/100 != 4 || want == unauthenticated && a.StatusCode != 401 {
		d.fail(name, a, "it was not refused")
	}
	d.succeeded = d.succeeded || a.StatusCode/100 == 2
	d.checkForm(name, a)
}

// checkForm expects an answer that the document describes.
func (d *driver) checkForm(name string, a answer) {
	d.t.Helper()
	if a.Header.Get("X-Request-Id") == "" {
		d.fail(name, a, "no X-Request-Id")
	}
	if a.StatusCode == 401 && a.Header.Get("WWW-Authenticate") == "" {
		d.fail(name, a, "no WWW-Authenticate")
	}
	response, ok := at(d.t, d.op, "responses").(map[string]any)[fmt.Sprint(a.StatusCode)].(map[string]any)
	if !ok {
		d.fail(name, a, "the status is not documented")
		return
	}
	content, _ := response["content"].(map[string]any)
	if content == nil {
		if len(a.body) > 0 {
			d.fail(name, a, "a body is not documented")
		}
		return
	}
	mediaType, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	documented, ok := content[mediaType].(map[string]any)
	if err != nil || !ok {
		d.fail(name, a, "%q is not documented", a.Header.Get("Content-Type"))
		return
	}
	bodies := [][]byte{a.body}
	if mediaType == "application/x-ndjson" {
		bodies = slices.Collect(bytes.Lines(a.body))
	}
	for _, text := range bodies {
		var body any
		if err := json.Unmarshal(text, &body); err != nil {
			d.fail(name, a, "%v", err)
		} else if err := d.doc.schema(documented["schema"]).Validate(asResource(d.t, body)); err != nil {
			d.fail(name, a, "%v", err)
		}
	}
}

func (d *driver) fail(name string, a answer, format string, args ...any) {
	d.t.Helper()
	d.t.Errorf("%s: %s\n%d %s", name, fmt.Sprintf(format, args...), a.StatusCode, clipped(a.body))
}

func clipped(body []byte) []byte { return body[:min(len(body), 1000)] }
