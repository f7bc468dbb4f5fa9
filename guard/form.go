package guard

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// HasForm reports whether path, as it stands in a request, has the form of a guarded
// route in any way that a router may read it: the literals without regard to case, any
// non-empty segment for a placeholder, with and without a final slash. So has a path that
// a guarded route is forwarded to, since it is there that the upstream listens. What has
// the form must not reach the upstream without a guard's decision, in whatever spelling.
func (p *Policy) HasForm(path string) bool {
	for _, segments := range readings(path) {
		for i := range p.Routes {
			r := &p.Routes[i]
			if hasForm(r.segments, segments) || r.upstream != nil && hasForm(r.upstream, segments) {
				return true
			}
		}
	}
	return false
}

// hasForm compares the segments of a template with those of a path, none of which is empty.
func hasForm(template, path []string) bool {
	for i, want := range template {
		switch {
		case want == wildcard:
			return true
		case i == len(path):
			return false
		case isPlaceholder(want): // any segment
		case !strings.EqualFold(want, path[i]):
			return false
		}
	}
	return len(path) == len(template)
}

// maxEscapes is how many times over a path is decoded. A proxy in front of a router that
// decodes once more makes two.
const maxEscapes = 3

// readings returns the segments of path as different routers take it: escapes decoded or
// not, path parameters and what follows a '?' cut off, slashes merged, dot segments
// resolved or left alone, a backslash for a slash.
func readings(path string) (all [][]string) {
	for range maxEscapes + 1 {
		cut := path
		if i := strings.IndexAny(cut, "?#\x00"); i >= 0 {
			cut = cut[:i]
		}
		var plain, resolved []string
		for segment := range strings.FieldsFuncSeq(cut, func(c rune) bool { return c == '/' || c == '\\' }) {
			segment, _, _ = strings.Cut(segment, ";")
			segment = strings.TrimSpace(segment)
			if segment == "" {
				continue
			}
			plain = append(plain, segment)
			switch segment {
			case ".":
			case "..":
				resolved = resolved[:max(len(resolved)-1, 0)]
			default:
				resolved = append(resolved, segment)
			}
		}
		all = append(all, plain)
		if !slices.Equal(plain, resolved) {
			all = append(all, resolved)
		}
		decoded := decodeOnce(path)
		if decoded == path {
			break
		}
		path = decoded
	}
	return all
}

// escape is one escaped byte of a path.
var escape = regexp.MustCompile("%[0-9A-Fa-f]{2}")

// decodeOnce decodes the escapes of a path that are well-formed, and leaves the others.
func decodeOnce(path string) string {
	return escape.ReplaceAllStringFunc(path, func(e string) string {
		decoded, _ := url.PathUnescape(e)
		return decoded
	})
}
