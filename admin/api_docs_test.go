package admin_test

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func apiPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAPIDocs does what docs/api.md shows, in its order.
func TestAPIDocs(t *testing.T) {
	s := newServer(t)
	alice := tokenFor(t, jwt.MapClaims{"tenant_id": tenantA.String(), "role": "admin", "sub": "alice"})
	exchanges := regexp.MustCompile("(?s)```http\n(.*?)```\n```json (\\d+)\n(.*?)```").FindAllStringSubmatch(apiPage(t), -1)
	if len(exchanges) < 10 {
		t.Fatalf("docs/api.md has %d examples", len(exchanges))
	}
	id := ""
	for _, e := range exchanges {
		head, body, _ := strings.Cut(strings.ReplaceAll(e[1], "{id}", id), "\n\n")
		lines := strings.Split(strings.TrimSpace(head), "\n")
		method, path, _ := strings.Cut(lines[0], " ")
		var headers []string
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ": ")
			headers = append(headers, name, value)
		}
		status, _ := strconv.Atoi(e[2])
		a := s.expect(status, alice, method, path, strings.TrimSpace(body), headers...)
		var want any
		if err := json.Unmarshal([]byte(e[3]), &want); err != nil {
			t.Fatalf("%s: the answer shown is no JSON: %v", lines[0], err)
		}
		if got := anyMap(a.decode(t)); !like(got, want) {
			t.Errorf("%s: answers\n%s\nand not\n%s", lines[0], a.body, e[3])
		}
		if made := a.text(t, "id"); made != "" {
			id = made
		}
	}
}

// like reports whether two documents are equal where the second says what it wants.
func like(got, want any) bool {
	switch want := want.(type) {
	case string:
		return want == "…" && got != nil || got == want
	case []any:
		list, ok := got.([]any)
		same := ok && len(list) == len(want)
		for i := 0; same && i < len(want); i++ {
			same = like(list[i], want[i])
		}
		return same
	case map[string]any:
		object, ok := got.(map[string]any)
		same := ok && len(object) == len(want)
		for name := range want {
			same = same && like(object[name], want[name])
		}
		return same
	}
	return reflect.DeepEqual(got, want)
}

func TestDocsHaveEveryRoute(t *testing.T) {
	page := apiPage(t)
	for path, item := range at(t, openAPI(t, newServer(t)), "paths").(map[string]any) {
		for method := range item.(map[string]any) {
			route := "`" + strings.ToUpper(method) + " " + path + "`"
			if strings.HasPrefix(path, "/rest/v1/rpc/") {
				route = "`" + strings.TrimPrefix(path, "/rest/v1/rpc/") + "`"
			}
			if ours := strings.HasPrefix(path, "/v1/credentials") || strings.HasPrefix(path, "/v1/audit") || path == "/v1/schemes" || strings.HasPrefix(path, "/rest"); ours && !strings.Contains(page, route) {
				t.Errorf("docs/api.md lacks %s", route)
			}
		}
	}
}
