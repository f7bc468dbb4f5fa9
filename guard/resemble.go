package guard

import (
	"strings"

	"github.com/hookgate/hookgate/credential"
)

// A router that ignores the case of letters or a slash at the end, or takes more for an
// id than the guard does, serves a path that is not quite that of a guarded route as if it
// were. So what merely has the form of a route is never left to a wider one, which asks
// for less: it is refused.

type form int

const (
	otherForm  form = iota
	sameForm        // literals without regard to case, something for each placeholder, with or without a slash at the end
	longerForm      // the same, and more segments behind it
)

// formOf compares the form of a canonical path with that of the route.
func (r *Route) formOf(path string) form {
	rest := strings.TrimSuffix(path[1:], "/")
	for _, want := range r.segments {
		if want == wildcard {
			return sameForm
		}
		if rest == "" {
			return otherForm
		}
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		switch {
		case !isPlaceholder(want) && !strings.EqualFold(segment, want):
			return otherForm
		case want == placeholderVendor && segment == reservedVendor:
			return otherForm // it is the admin API's
		}
	}
	if rest != "" {
		return longerForm
	}
	return sameForm
}

func isPlaceholder(segment string) bool { return strings.HasPrefix(segment, "{") }

// wider reports whether every path of other has the form of r.
func (r *Route) wider(other *Route) bool {
	for i, want := range r.segments {
		if want == wildcard {
			return true
		}
		if i >= len(other.segments) || other.segments[i] == wildcard || !isPlaceholder(want) && !strings.EqualFold(want, other.segments[i]) {
			return false
		}
	}
	return len(r.segments) == len(other.segments)
}

// open reports whether the route takes paths of any length.
func (r *Route) open() bool { return r.segments[len(r.segments)-1] == wildcard }

// resembled returns a route whose form a path has without being one of its paths. taken is
// the route whose path it is, or nil. A path of any length is compared with the routes of
// the guards beside this one, too: it may have fallen through from one of them.
func (p *Policy) resembled(path string, taken *Route) *Route {
	if like := resembledIn(p.Routes, path, taken); like != nil || taken == nil || !taken.open() || p.Beside == nil {
		return like
	}
	for _, other := range p.Beside() {
		if like := resembledIn(other.Routes, path, taken); like != nil {
			return like
		}
	}
	return nil
}

func resembledIn(routes []Route, path string, taken *Route) *Route {
	for i := range routes {
		r := &routes[i]
		if r == taken {
			continue
		}
		form := r.formOf(path)
		if form == otherForm || form == longerForm && (taken == nil || r.kind != credential.KindWebhook) {
			continue // of a longer path nobody knows what it is, but that it may hold a webhook's token
		}
		if _, exactly := r.match(path); !exactly && (taken == nil || taken.wider(r) || taken.open() && !r.wider(taken)) {
			return r
		}
	}
	return nil
}
