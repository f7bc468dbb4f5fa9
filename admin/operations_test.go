package admin_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/connections"
)

// TestEveryOperation sends good and bad input to every operation in the served
// document, whichever there are, and holds the answers against what it documents.
func TestEveryOperation(t *testing.T) {
	doc := documentOf(t, newServer(t))
	succeeded := map[string]bool{}
	for path, item := range at(t, doc.root, "paths").(map[string]any) {
		for method, op := range item.(map[string]any) {
			id := at(t, op, "operationId").(string)
			t.Run(id, func(t *testing.T) {
				s := newServer(t, withConnections(connections.Any{})) // of its own, so that lists stay short
				d := &driver{t: t, server: s, doc: doc, method: strings.ToUpper(method), path: path, op: op.(map[string]any), tenant: tenantA, ids: map[string]string{}}
				d.adopt()
				d.credentials()
				d.parameters()
				d.bodies()
				if succeeded[id] = d.succeeded; !d.succeeded {
					t.Log("it was never seen to succeed")
				}
			})
		}
	}
	for id := range operationsOf(t, contract()) {
		if !succeeded[id] {
			t.Errorf("%s was never seen to succeed, so little was tested", id)
		}
	}
}

// driver sends requests to one operation.
type driver struct {
	t            *testing.T
	server       *server
	doc          *document
	method, path string
	op           map[string]any
	tenant       uuid.UUID         // of the operator
	ids          map[string]string // to use in the path, by parameter
	succeeded    bool              // at least once
}

// call is one request; what it does not say is as documented.
type call struct {
	name          string
	authorization string
	values        map[string]string // of parameters
	query         string            // beside them
	contentType   string
	body          *string
}

// outcome is what is expected beyond the document.
type outcome int

const (
	documented outcome = iota // any answer that the document has
	refused                   // a 4xx
	unauthenticated
)

// adopt makes the operator one of the tenant that the example of the body names.
func (d *driver) adopt() {
	if d.op["requestBody"] == nil {
		return
	}
	_, examples := d.bodyOf(d.op)
	body, _ := examples[0].(map[string]any)
	if named, ok := body["_brand_id"].(string); ok {
		d.tenant = uuid.MustParse(named)
	}
}

func (d *driver) credentials() {
	for _, authorization := range []string{"Basic YTpi", "Bearer x.y.z", hs256(d.t, map[string]any{"exp": now.Unix() - 31})} {
		d.send(call{name: "without a good token", authorization: authorization}, unauthenticated)
	}
	d.send(call{name: "without a tenant", authorization: hs256(d.t, map[string]any{"tenant_id": nil})}, refused)
	d.send(call{name: "without a role", authorization: operatorOf(d.t, tenantA, "nobody", "intern")}, refused)
	d.send(call{name: "as viewer", authorization: viewerOf(d.t, tenantA)}, documented)
	d.send(call{name: "as admin"}, documented)
	d.send(call{name: "as another tenant", authorization: adminOf(d.t, tenantB)}, documented)
}

func (d *driver) parameters() {
	d.send(call{name: "unknown query parameter", query: "surplus=1"}, refused)
	everything := map[string]string{}
	for _, p := range d.declared() {
		name, schema := p["name"].(string), p["schema"]
		everything[name] = fmt.Sprint(p["example"])
		for _, c := range d.doc.cases(schema, p["example"]) {
			text, ok := c.value.(string)
			if !ok {
				text = string(must(json.Marshal(c.value)))
			}
			switch p["in"] {
			case "path":
				if text == "" || strings.ContainsAny(text, "/.%") || url.PathEscape(text) != text {
					continue // another path, or none
				}
			case "header":
				if strings.ContainsAny(text, "\n\x00") {
					continue // net/http refuses it
				}
			}
			want := documented
			if !d.allows(schema, text) {
				want = refused
			}
			if p["in"] != "path" && text == "" {
				want = documented // the same as none
			}
			d.send(call{name: name + " is " + c.name, values: map[string]string{name: text}}, want)
		}
	}
	d.send(call{name: "every parameter", values: everything}, documented)
}

// allows reports whether a schema allows a text as the value of a parameter.
func (d *driver) allows(schema any, text string) bool {
	if d.doc.isValid(schema, text) {
		return true
	}
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return d.doc.resolve(schema)["type"] == "array" // a list is written in other ways
	}
	return d.doc.isValid(schema, v) || d.doc.resolve(schema)["type"] == "array"
}

func (d *driver) bodies() {
	for _, text := range []string{"{", "x", "\xff", `{} {}`, `{"a":1,"a":2}`, "[[[["} {
		d.send(call{name: fmt.Sprintf("body %q", text), body: &text}, refused)
	}
	huge := strings.Repeat(" ", 64<<10+1)
	d.send(call{name: "huge body", body: &huge}, refused)
	body, ok := d.op["requestBody"]
	if !ok {
		surplus := `{"surplus":1}`
		d.send(call{name: "body with something in it", body: &surplus}, refused)
		return
	}
	d.send(call{name: "another media type", contentType: "text/plain"}, refused)
	schema, examples := d.bodyOf(d.op)
	for _, example := range examples {
		clear(d.ids) // another credential may be of the kind that the example is for
		if !d.doc.isValid(schema, example) {
			d.t.Errorf("an example does not match the schema: %v", example)
		}
		for _, c := range append(d.doc.cases(schema, example), valueCase{"the example", example}) {
			text := string(must(json.Marshal(c.value)))
			want := documented
			// huma takes an optional property that is null for one that is not there.
			if !d.doc.isValid(schema, c.value) && !d.doc.isValid(schema, withoutNulls(c.value)) {
				want = refused
			}
			d.send(call{name: c.name, body: &text}, want)
		}
	}
	empty := ""
	want := documented
	if body.(map[string]any)["required"] == true {
		want = refused
	}
	d.send(call{name: "no body", body: &empty}, want)
}

// withoutNulls returns a value without the properties in it that are null.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		object := map[string]any{}
		for name, value := range v {
			if value != nil {
				object[name] = withoutNulls(value)
			}
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = withoutNulls(item)
		}
		return list
	}
	return v
}

// bodyOf returns the schema and the examples of the request body of an operation.
func (d *driver) bodyOf(op any) (schema any, examples []any) {
	for _, content := range at(d.t, op, "requestBody", "content").(map[string]any) {
		schema, examples = at(d.t, content, "schema"), examplesIn(content)
	}
	return schema, examples
}

// examplesIn returns all examples of a media type; those with a name by that.
func examplesIn(content any) []any {
	media := content.(map[string]any)
	if example, ok := media["example"]; ok {
		return []any{example}
	}
	named, _ := media["examples"].(map[string]any)
	var all []any
	for _, name := range slices.Sorted(maps.Keys(named)) {
		all = append(all, named[name].(map[string]any)["value"])
	}
	return all
}

func (d *driver) declared() []map[string]any {
	list, _ := d.op["parameters"].([]any)
	all := make([]map[string]any, len(list))
	for i, p := range list {
		all[i] = p.(map[string]any)
	}
	return all
}

// send fills in what a call leaves out, sends it, and checks the answer.
func (d *driver) send(c call, want outcome) {
	d.t.Helper()
	if c.authorization == "" {
		c.authorization = adminOf(d.t, d.tenant)
	}
	target, query, headers := d.path, url.Values{}, map[string]string{}
	for _, p := range d.declared() {
		name := p["name"].(string)
		value, given := c.values[name]
		switch {
		case given:
		case p["in"] == "path":
			if d.ids[name] == "" {
				d.ids[name] = d.existing(name)
			}
			value = d.ids[name]
		case p["required"] == true:
			value = fmt.Sprint(p["example"])
		default:
			continue
		}
		switch p["in"] {
		case "path":
			target = strings.ReplaceAll(target, "{"+name+"}", value)
		case "query":
			query.Set(name, value)
		case "header":
			headers[name] = value
		}
	}
	if encoded := strings.Trim(query.Encode()+"&"+c.query, "&"); encoded != "" {
		target += "?" + encoded
	}
	body := ""
	if c.body != nil {
		body = *c.body
	} else if d.op["requestBody"] != nil {
		_, examples := d.bodyOf(d.op)
		body = string(must(json.Marshal(examples[0])))
	}
	r := request(d.method, target, body)
	r.Header.Set("Authorization", c.authorization)
	if c.contentType != "" {
		r.Header.Set("Content-Type", c.contentType)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	a := d.server.send(r)
	d.check(c.name, a, want)
	if a.StatusCode/100 == 2 {
		clear(d.ids) // perhaps used up
	}
}
