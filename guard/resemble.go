package guard

import (
	"strings"

	"github.com/hookgate/hookgate/credential"
)

// What merely has the form of a route is never left to a wider one, which asks for less: it
// is refused.

// wider reports whether every path of other has the form of r.
func (r *Route) wider(other *Route) bool {
	return formOf(r.segments, other.template) == sameForm && (r.open() || !other.open())
}

// open reports whether the route takes paths of any length.
func (r *Route) open() bool { return r.segments[len(r.segments)-1] == wildcard }

// ofAdmin reports whether a canonical path is the admin API's where the route has {vendor}.
func (r *Route) ofAdmin(path string) bool {
	i := 0
	for segment := range strings.SplitSeq(path[1:], "/") {
		if i == len(r.segments) {
			break
		}
		if r.segments[i] == placeholderVendor {
			return segment == reservedVendor
		}
		i++
	}
	return false
}

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
		form := formOf(r.segments, path)
		if form == otherForm || r.ofAdmin(path) || form == longerForm && (taken == nil || r.kind != credential.KindWebhook) {
			continue // of a longer path nobody knows what it is, but that it may hold a webhook's token
		}
		if _, exactly := r.match(path); !exactly && (taken == nil || taken.wider(r) || taken.open() && !r.wider(taken)) {
			return r
		}
	}
	return nil
}
