package guard

import (
	"net/url"
	"regexp"
	"strings"
)

// A router that ignores the case of letters or a slash at the end, or takes more for an
// id than the guard does, serves a path that is not quite that of a guarded route as if it
// were. What such a router goes by is the form.

type form int

const (
	otherForm  form = iota
	sameForm        // literals without regard to case, something for each placeholder, with or without a slash at the end
	longerForm      // the same, and more segments behind it
)

// formOf compares the form of a path with that of a template in segments. No segment of the
// path is empty but what a slash at the end leaves.
func formOf(template []string, path string) form {
	rest := strings.TrimSuffix(path[1:], "/")
	for _, want := range template {
		if want == wildcard {
			return sameForm
		}
		if rest == "" {
			return otherForm
		}
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		if !isPlaceholder(want) && !strings.EqualFold(segment, want) {
			return otherForm
		}
	}
	if rest != "" {
		return longerForm
	}
	return sameForm
}

func isPlaceholder(segment string) bool { return strings.HasPrefix(segment, "{") }

// HasForm reports whether path, as it stands in a request, has the form of a guarded
// route in any way that a router may read it. So has a path that a guarded route is
// forwarded to, since it is there that the upstream listens. What has the form must not
// reach the upstream without a guard's decision, in whatever spelling.
func (p *Policy) HasForm(path string) bool {
	for _, reading := range readings(path) {
		for i := range p.Routes {
			r := &p.Routes[i]
			if formOf(r.segments, reading) == sameForm || r.upstream != nil && formOf(r.upstream, reading) == sameForm {
				return true
			}
		}
	}
	return false
}

// maxEscapes is how many times over a path is decoded. A proxy in front of a router that
// decodes once more makes two.
const maxEscapes = 3

// readings returns path as different routers take it: escapes decoded or not, path
// parameters and what follows a '?' cut off, slashes merged, dot segments resolved or left
// alone, a backslash for a slash.
func readings(path string) (all []string) {
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
		all = append(all, "/"+strings.Join(plain, "/"))
		if len(plain) != len(resolved) { // there are dot segments
			all = append(all, "/"+strings.Join(resolved, "/"))
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
