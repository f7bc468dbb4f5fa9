package auditchain

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// chain returns n lines behind a head.
func chain(t testing.TB, head Head, objects ...string) (lines []string, last Head) {
	t.Helper()
	for _, object := range objects {
		line, next, err := head.Seal([]byte(object))
		if err != nil {
			t.Fatal(err)
		}
		lines, head = append(lines, string(line)+"\n"), next
	}
	return lines, head
}

func numbered(n int) (objects []string) {
	for i := range n {
		objects = append(objects, fmt.Sprintf(`{"action": "mint", "label": "number %d <&>"}`, i+1))
	}
	return objects
}

func TestTheFormIsFixed(t *testing.T) {
	lines, _ := chain(t, Head{}, `{"a":"b"}`)
	want := `{"seq":1,"prev":"` + Origin + `","a":"b","hash":"` + SumOf([]byte(Origin+`{"seq":1,"prev":"`+Origin+`","a":"b"}`)) + `"}` + "\n"
	if lines[0] != want {
		t.Errorf("got %s, want %s", lines[0], want)
	}
	for _, object := range []string{"", "[]", "{}", "1", `{"a":1`, `{"a":1,"a":2}`} {
		if _, _, err := (Head{}).Seal([]byte(object)); err == nil {
			t.Errorf("%q became a line", object)
		}
	}
}

func TestVerify(t *testing.T) {
	whole, last := chain(t, Head{}, numbered(9)...)
	later, end := chain(t, last, append([]string{`{"mark":"continues"}`}, numbered(3)...)...)
	forged, _ := chain(t, Head{}, `{"action":"none"}`)
	with := func(change func([]string) []string) string {
		return strings.Join(change(slices.Clone(whole)), "")
	}
	torn := `{"seq":10,"prev":"` + last.Hash[:20]
	marked, _ := chain(t, last, `{"mark":"torn","torn":"`+SumOf([]byte(torn))+`"}`)
	for name, test := range map[string]struct {
		text    string
		repeats bool
		line    int // 0 for a whole one
	}{
		"nothing":              {text: ""},
		"whole":                {text: strings.Join(whole, "")},
		"another part":         {text: strings.Join(later, "")},
		"both parts":           {text: strings.Join(append(slices.Clone(whole), later...), "")},
		"torn and marked":      {text: strings.Join(whole, "") + torn + "\n" + marked[0]},
		"a changed byte":       {text: with(func(l []string) []string { l[3] = strings.Replace(l[3], "number 4", "number 5", 1); return l }), line: 4},
		"a changed hash":       {text: with(func(l []string) []string { l[3] = strings.Replace(l[3], `"hash":"`, `"hash":"0`, 1); return l }), line: 4},
		"a changed number":     {text: with(func(l []string) []string { l[3] = strings.Replace(l[3], `"seq":4`, `"seq":5`, 1); return l }), line: 4},
		"space put in":         {text: with(func(l []string) []string { l[3] = strings.Replace(l[3], `,"label"`, `, "label"`, 1); return l }), line: 4},
		"a member twice":       {text: with(func(l []string) []string { l[3] = strings.Replace(l[3], `{"seq"`, `{"seq":4,"seq"`, 1); return l }), line: 4},
		"a deleted line":       {text: with(func(l []string) []string { return slices.Delete(l, 4, 5) }), line: 5},
		"a line put in":        {text: with(func(l []string) []string { return slices.Insert(l, 4, forged[0]) }), line: 5},
		"a line twice":         {text: with(func(l []string) []string { return slices.Insert(l, 4, l[3]) }), line: 5},
		"a blank line":         {text: with(func(l []string) []string { return slices.Insert(l, 4, "\n") }), line: 5},
		"two in other places":  {text: with(func(l []string) []string { l[4], l[5] = l[5], l[4]; return l }), line: 5},
		"without its head":     {text: with(func(l []string) []string { return l[2:] }), line: 1},
		"broken off":           {text: strings.TrimSuffix(strings.Join(whole, ""), "\n"), line: 9},
		"torn and not marked":  {text: strings.Join(whole, "") + torn + "\n", line: 10},
		"torn and marked else": {text: strings.Join(whole, "") + torn + "1\n" + marked[0], line: 10},
		"endless":              {text: strings.Repeat("x", MaxLine+2), line: 1},
		"no log":               {text: "hello\n", line: 1},

		"a line sent twice":     {text: with(func(l []string) []string { return slices.Insert(l, 4, l[2], l[3]) }), repeats: true},
		"an old one put in":     {text: with(func(l []string) []string { return slices.Insert(l, 4, forged[0]) }), repeats: true, line: 5},
		"one sent twice, later": {text: with(func(l []string) []string { return slices.Insert(l, 2, l[3]) }), repeats: true, line: 3},
	} {
		t.Run(name, func(t *testing.T) {
			v := Verifier{Repeats: test.repeats}
			err := v.Read(strings.NewReader(test.text))
			var broken *BrokenError
			if test.line == 0 && err != nil || test.line != 0 && (!errors.As(err, &broken) || broken.Line != test.line || broken.Why == "") {
				t.Errorf("%v, want line %d", err, test.line)
			}
		})
	}
	var v Verifier
	if err := errors.Join(v.Read(strings.NewReader(strings.Join(whole, ""))), v.Read(strings.NewReader(strings.Join(later, "")))); err != nil || v.Last != end || v.Lines != 13 || v.First != 1 {
		t.Errorf("two files: %+v, %v", v.Found, err)
	}
	v = Verifier{}
	if err := errors.Join(v.Read(strings.NewReader(strings.Join(later, ""))), v.Read(strings.NewReader(strings.Join(whole, "")))); err == nil {
		t.Error("two files in the wrong order")
	}
}

// TestVerifyNamesAnExport: what else the log can be read from has no chain, and is told from a
// log that was changed.
func TestVerifyNamesAnExport(t *testing.T) {
	const entry = `{"id":"1-0","at":"2027-01-02T03:04:05Z","actor":"alice","action":"mint","credentialId":"c"`
	for text, export := range map[string]bool{
		entry + "}\n": true,
		entry + `,"seq":1,"prev":"","hash":""}` + "\n": false,
		entry + "\n":              false,
		`{"id":"1-0"}` + "\n":     false,
		"[" + entry + "}]" + "\n": false,
	} {
		var v Verifier
		if err := v.Read(strings.NewReader(text)); err == nil || strings.Contains(err.Error(), "An export has no chain") != export {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzVerify: no input is taken for a whole chain in which a byte can be changed.
func FuzzVerify(f *testing.F) {
	whole, _ := chain(f, Head{}, numbered(3)...)
	f.Add([]byte(strings.Join(whole, "")), uint(70), byte('x'))
	f.Add([]byte("{\"seq\":1}\n"), uint(0), byte(0))
	f.Fuzz(func(t *testing.T, text []byte, at uint, with byte) {
		var v Verifier
		if v.Read(bytes.NewReader(text)) != nil || len(text) == 0 {
			return
		}
		changed := bytes.Clone(text)
		if changed[at%uint(len(text))] = with; bytes.Equal(changed, text) {
			return
		}
		var again Verifier
		if again.Read(bytes.NewReader(changed)) == nil {
			t.Errorf("%q and %q are both whole", text, changed)
		}
	})
}
