package handlers

import (
	"strings"
	"testing"
)

func TestAPIPathProvision(t *testing.T) {
	withPaths := func(paths ...APIPath) *Guard {
		return &Guard{TokenHeader: defaultTokenHeader, Callback: []string{defaultCallback}, API: paths}
	}
	g := withPaths(APIPath{"/partners/admin/*", []string{"a"}}, APIPath{"/partners/*", nil}, APIPath{"/*", []string{"b"}})
	if err := g.addRoutes(); err != nil || len(g.policy.Routes) != 4 {
		t.Fatalf("%d routes, %v", len(g.policy.Routes), err)
	}
	for name, tc := range map[string]struct {
		guard *Guard
		want  string
	}{
		"no path":                  {withPaths(APIPath{}), "must begin with /"},
		"a placeholder":            {withPaths(APIPath{Path: "/{x}"}), "without placeholders"},
		"* in the middle":          {withPaths(APIPath{Path: "/*/a"}), "last segment"},
		"no scope":                 {withPaths(APIPath{"/a", []string{""}}), "scope"},
		"given twice":              {withPaths(APIPath{Path: "/a"}, APIPath{"/a", []string{"b"}}), "/a comes before it"},
		"behind a wider path":      {withPaths(APIPath{Path: "/a/*"}, APIPath{"/a/b/*", []string{"b"}}), "/a/* comes before it"},
		"behind the callback path": {withPaths(APIPath{Path: "/v1/exceptions/1/callback"}), defaultCallback + " comes before it"},
		"token in Authorization":   {&Guard{TokenHeader: "Authorization", API: []APIPath{{Path: "/a"}}}, "token_header"},
	} {
		if err := tc.guard.addRoutes(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
