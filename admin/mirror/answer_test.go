package mirror

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

var (
	idA = uuid.MustParse("0199d5a4-0000-7000-8000-0000000000a1")
	idB = uuid.MustParse("0199d5a4-0000-7000-8000-0000000000b2")
)

func TestWithMember(t *testing.T) {
	for _, c := range []struct{ object, want string }{
		{`{"url":"a"}`, `{"url":"x\"y"}`},
		{` { "a" : {"url":1}, "url" : "a" , "b":[]}` + "\n", ` { "a" : {"url":1}, "url" : "x\"y" , "b":[]}` + "\n"},
		{`{"url":null}`, `{"url":"x\"y"}`},
		{`{"a":"}"}`, `{"a":"}","url":"x\"y"}`},
		{`{}`, `{"url":"x\"y"}`},
		{`{"\u0075rl":"a"}`, `{"\u0075rl":"x\"y"}`},
		{`[]`, ""}, {`{"a":1`, ""}, {``, ""}, {`{"a":1,"a":2}`, ""}, {`null`, ""},
	} {
		got, err := WithMember([]byte(c.object), "url", `x"y`)
		if string(got) != c.want || (err == nil) == (c.want == "") {
			t.Errorf("%s: %s, %v", c.object, got, err)
		}
	}
}

func TestWithLastUse(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.FixedZone("", 3600))
	uses := func(ids []uuid.UUID) (map[uuid.UUID]time.Time, error) {
		return map[uuid.UUID]time.Time{idA: at}, nil
	}
	const added = `,"lastUsedAt":"2026-01-02T02:04:05.678Z"`
	a, b := `{"id":"`+idA.String()+`" }`, `{ "id" : "`+idB.String()+`"}`
	usedA := strings.Replace(a, "}", added+"}", 1)
	itsOwn := strings.Replace(a, "}", `, "lastUsedAt":"2020-01-01T00:00:00Z"}`, 1)
	for _, c := range []struct{ list, want string }{
		{`{"credentials":[` + a + `, ` + b + ` ]}`, `{"credentials":[` + usedA + `, ` + b + ` ]}`},
		{`{"x":"[{}]", "credentials" : [` + b + `,` + a + `] }`, `{"x":"[{}]", "credentials" : [` + b + `,` + usedA + `] }`},
		{`{"credentials":[` + itsOwn + `]}`, `{"credentials":[` + itsOwn + `]}`},
		{`{"credentials":[]}`, `{"credentials":[]}`},
		{`{"credentials":null}`, `{"credentials":null}`},
		{`{}`, ""}, {`{"credentials":{}}`, ""}, {`{"credentials":[1]}`, ""}, {`{"credentials":[{"id":"x"}]}`, ""}, {`{"credentials":[{}]}`, ""}, {`[`, ""},
	} {
		got, err := WithLastUse([]byte(c.list), uses)
		if string(got) != c.want || (err == nil) == (c.want == "") {
			t.Errorf("%s\nis %s, %v\nwant %s", c.list, got, err, c.want)
		}
		if c.want == "" && !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", c.list, err)
		}
	}
	failure := errors.New("x")
	if _, err := WithLastUse([]byte(`{"credentials":[]}`), func([]uuid.UUID) (map[uuid.UUID]time.Time, error) { return nil, failure }); err != failure {
		t.Errorf("a failure becomes %v", err)
	}
}

func TestSecret(t *testing.T) {
	for text, want := range map[string]Secret{
		`{"token":"t","credentialId":"` + idA.String() + `","externalSystem":"JIRA","createdAt":"x","new":1}`: {Token: "t", ID: idA, ExternalSystem: "JIRA"},
		`{"token":"t","webhook_url":"u","vendor":"belvo"}`:                                                    {Token: "t", WebhookURL: "u"},
	} {
		if got, err := (&Answer{Status: 201, Body: []byte(text)}).Secret(); got != want || err != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{``, `[]`, `{}`, `{"token":7}`, `{"token":"t","credentialId":"7"}`, `{"token":"t","token":"u"}`, `{"token":"t"} {}x`} {
		if got, err := (&Answer{Status: 201, Body: []byte(text)}).Secret(); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	half := &Answer{Status: 201, Body: []byte(`{"credentialId":"` + idA.String() + `"}`)}
	if got, err := half.Secret(); err == nil || got.ID != idA {
		t.Errorf("without a token it is %+v, %v, so that nobody can revoke it", got, err)
	}
}

// FuzzAnswers: whatever a server says, what is made of it is JSON, differs in what was to
// be set alone, and nothing panics.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"credentials":[{"id":"` + idA.String() + `"}, {"id":"` + idB.String() + `","lastUsedAt":"x"}]}`))
	f.Add([]byte(`{"token":"t","webhookUrlHint":"\u0022","credentialId":"` + idA.String() + `"}`))
	f.Add([]byte(` {"a":{"b":[1,2,{"}":null}]}} `))
	f.Fuzz(func(t *testing.T, body []byte) {
		if set, err := WithMember(body, "webhookUrlHint", "x"); err == nil {
			var before, after map[string]any
			if json.Unmarshal(body, &before) != nil || json.Unmarshal(set, &after) != nil {
				t.Fatalf("%q became %q", body, set)
			}
			if after["webhookUrlHint"] != "x" {
				t.Errorf("it is not set in %q", set)
			}
			delete(before, "webhookUrlHint")
			if delete(after, "webhookUrlHint"); len(before) != len(after) {
				t.Errorf("%q became %q", body, set)
			}
		}
		list, err := WithLastUse(body, func(ids []uuid.UUID) (map[uuid.UUID]time.Time, error) {
			uses := make(map[uuid.UUID]time.Time)
			for _, id := range ids {
				uses[id] = time.Unix(0, 0)
			}
			return uses, nil
		})
		if err == nil {
			entries, err := entriesOf(list)
			if err != nil {
				t.Fatalf("%q became %q: %v", body, list, err)
			}
			for _, e := range entries {
				if e.LastUsedAt == "" {
					t.Errorf("%s has no last use in %q", e.ID, list)
				}
			}
		}
		_, _ = (&Answer{Body: body}).Secret()
	})
}
