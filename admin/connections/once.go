package connections

import (
	"context"
	"sync"
)

// ReadOnce returns a context in which a Matcher's list is read no more than once, by the
// first question of each operator, and answers all others: an import asks a thousand.
func ReadOnce(ctx context.Context) context.Context {
	return context.WithValue(ctx, onceKey{}, &readLists{lists: make(map[string]*readList)})
}

type onceKey struct{}

// readLists are the lists that were read in one context, by the operator's bearer token.
type readLists struct {
	mu    sync.Mutex
	lists map[string]*readList
}

// readList is what Matcher has listed.
type readList struct {
	connections map[matcherConnection]bool
	vendorless  bool // of Matcher 2.x, whose connections have no vendor
	// rest is why there may be more than was read.
	rest error
}

func (l *readList) has(vendor, name string) (bool, error) {
	if l.vendorless {
		vendor = ""
	}
	if l.connections[matcherConnection{ConfigName: name, Vendor: vendor}] {
		return true, nil
	}
	return false, l.rest
}

// readOnce returns the list, read at the first call for the bearer token.
func (r *readLists) readOnce(bearer string, read func(*readList) error) *readList {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.lists[bearer]
	if list == nil {
		list = &readList{connections: make(map[matcherConnection]bool)}
		list.rest = read(list)
		r.lists[bearer] = list
	}
	return list
}
